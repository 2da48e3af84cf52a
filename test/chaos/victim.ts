import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LibtorrentBatch, populate, type Population, Seeder } from '../harness/index.ts'

/** A node with a small library, all of it asleep, and a client that behaves while others do not. */
export class Victim {
  readonly seeder: Seeder
  readonly population: Population
  readonly port: number
  readonly #folder: string
  readonly #pid: number

  private constructor(folder: string, seeder: Seeder, population: Population, port: number) {
    this.#folder = folder
    this.seeder = seeder
    this.population = population
    this.port = port
    this.#pid = seeder.pid
  }

  static async start(): Promise<Victim> {
    const folder = await mkdtemp(join(tmpdir(), 'eldernode-victim-'))
    const settings = { 'network.allowPrivate': true, 'swarm.trackers': [] }
    const seeder = new Seeder('node', join(folder, 'node'), settings, { inspected: true })
    const population = await populate(seeder.folder, { items: 100, size: 16_384, published: true })
    await seeder.start()
    await seeder.ready()
    return new Victim(folder, seeder, population, Number((await seeder.peerAddress()).split(':')[1]))
  }

  /** A client gets these items whole. */
  async serves(...wanted: number[]): Promise<void> {
    const target = join(this.#folder, `client-${wanted.join('-')}`)
    const options = { peer: `127.0.0.1:${this.port}`, folder: target, wanted, parallel: 3, within: 45_000 }
    await (await LibtorrentBatch.start(this.population, options)).finished()
  }

  /** `same`: it is the process that was started. */
  async state(): Promise<{ same: boolean; status: unknown }> {
    const { status } = await this.seeder.get<{ status: unknown }>('/health')
    return { same: this.seeder.isRunning && this.seeder.pid === this.#pid, status }
  }

  async stop(): Promise<void> {
    await this.seeder.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
