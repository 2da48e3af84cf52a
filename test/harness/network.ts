import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFailed } from 'vitest'
import { Seeder, type How, type Settings } from './seeder.ts'
import { Tracker } from './tracker.ts'
import { until } from './until.ts'

export interface NetworkOptions {
  seeders: number
  /** Without one, magnets find peers by `x.pe` and web seeds only. */
  tracker?: boolean
  settings?: Settings
  /** Where its temporary folder is made: the system's own place when absent. */
  within?: string
}

/** Seeders of one network, the first its owner, and a tracker; all in one temporary folder. */
export class Network {
  readonly folder: string
  readonly seeders: Seeder[] = []
  readonly #options: NetworkOptions
  readonly #tracker: Tracker | undefined

  private constructor(folder: string, options: NetworkOptions) {
    this.folder = folder
    this.#options = options
    this.#tracker = options.tracker === false ? undefined : new Tracker()
  }

  /** Starts a network and waits until every node is ready and hears the others. */
  static async start(options: NetworkOptions): Promise<Network> {
    const network = new Network(await mkdtemp(join(options.within ?? tmpdir(), 'eldernode-')), options)
    try {
      await network.#tracker?.start()
      for (let i = 0; i < options.seeders; i++) await network.join()
      await network.acquainted()
      return network
    } catch (error) {
      const output = network.output()
      await network.close()
      throw new Error(`the network did not start\n${output}`, { cause: error })
    }
  }

  get first(): Seeder {
    return this.at(0)
  }

  at(index: number): Seeder {
    const seeder = this.seeders[index]
    if (seeder === undefined) throw new Error(`the network has no seeder ${index}`)
    return seeder
  }

  /** Starts one more node, has the owner admit it, and waits until it is ready. */
  async join(settings: Settings = {}): Promise<Seeder> {
    return await this.joinAt(join(this.folder, `node-${this.seeders.length + 1}`), settings)
  }

  /** The same with a data folder elsewhere, or started in another way. */
  async joinAt(folder: string, settings: Settings = {}, how: How = {}): Promise<Seeder> {
    const owner = this.seeders[0]
    const joining: Settings =
      owner === undefined ? {} : { 'network.owner': await this.owner(), 'network.peers': [owner.gun] }
    const all = {
      'network.allowPrivate': true,
      'swarm.trackers': this.#tracker?.urls ?? [],
      ...joining,
      ...this.#options.settings,
      ...settings,
    }
    const seeder = new Seeder(`node-${this.seeders.length + 1}`, folder, all, how)
    this.seeders.push(seeder)
    await seeder.start()
    if (owner !== undefined) await this.admit(seeder.id)
    await seeder.ready()
    return seeder
  }

  /** The public key that the network is named after. */
  async owner(): Promise<string> {
    return (await this.first.get<{ network: { owner: string } }>('/v1/node')).network.owner
  }

  /** Has the owner certify a node. */
  async admit(member: string): Promise<void> {
    const response = await this.first.admin('POST', '/v1/members', JSON.stringify({ member }))
    if (response.status !== 201) throw new Error(`admitting answered ${response.status}: ${await response.text()}`)
  }

  /** Waits until each running node hears every other one. */
  async acquainted(): Promise<void> {
    const running = this.seeders.filter((seeder) => seeder.isRunning)
    await until(
      async () => {
        const heard = await Promise.all(running.map((seeder) => seeder.get<{ peers: { id: string }[] }>('/v1/peers')))
        return heard.every(({ peers }, i) =>
          running.every((other) => other === running[i] || peers.some(({ id }) => id === other.id)),
        )
      },
      { within: 30_000, what: 'every node hears every other' },
    )
  }

  /** Has the logs of all processes printed when the running test fails. Call it at a test's beginning. */
  reportFailure(): void {
    onTestFailed(() => {
      console.error(this.output())
    })
  }

  output(): string {
    return [this.#tracker?.output() ?? '', ...this.seeders.map((seeder) => seeder.output())].join('\n')
  }

  /** Ends every process and removes every file. */
  async close(): Promise<void> {
    await Promise.all(this.seeders.map((seeder) => seeder.kill()))
    await this.#tracker?.stop()
    await rm(this.folder, { recursive: true, force: true })
  }
}
