import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Daemon } from './daemon.ts'
import { admit, checkReady, eventually, readNode } from './node-api.ts'
import { httpPort, swarmPort, type StartOptions } from './options.ts'

const host = '127.0.0.1'
const patienceMs = 60_000

/** A tracker and some seeders of one network, each a process of its own. */
export class LocalNetwork {
  /** Resolves to the reason when the tracker, the last seeder or one not ready yet ends without having been asked to. */
  readonly failed: Promise<Error>
  readonly #programs: { tracker: string; seeder: string }
  readonly #options: StartOptions
  readonly #say: (line: string) => void
  readonly #daemons: Daemon[] = []
  readonly #ready = new Set<string>()
  readonly #patience = new AbortController()
  #fail: (reason: Error) => void = () => {}

  constructor(programs: { tracker: string; seeder: string }, options: StartOptions, say: (line: string) => void) {
    this.#programs = programs
    this.#options = options
    this.#say = say
    this.failed = new Promise((resolve) => (this.#fail = resolve))
  }

  /** Resolves once every seeder is ready. */
  async start(): Promise<void> {
    const { nodes, data, trackerPort } = this.#options
    for (const folder of ['tracker', 'logs']) await mkdir(join(data, folder), { recursive: true })
    await this.#run('tracker', this.#programs.tracker, [`--host=${host}`, `--port=${trackerPort}`])
    await this.#seeder(1, [])
    const owner = this.#url(1)
    const { network } = await this.#eventually(() => readNode(owner))
    const joining = [`--network.owner=${network.owner}`, `--network.peers=${owner.replace('http', 'ws')}/gun`]
    await Promise.all(Array.from({ length: nodes - 1 }, (_, i) => this.#seeder(i + 2, joining)))
  }

  /** Ends every process, the last one started first; within 5 s also those that do not listen. */
  async stop(): Promise<void> {
    this.#patience.abort()
    await Promise.all(this.#daemons.toReversed().map((daemon) => daemon.stop()))
  }

  async #seeder(node: number, joining: readonly string[]): Promise<void> {
    const { data, trackerPort } = this.#options
    const name = `node-${node}`
    const tokenFile = join(data, name, 'admin.token')
    const isFirst = !existsSync(tokenFile)
    const trackers = [
      `ws://${host}:${trackerPort}`,
      `udp://${host}:${trackerPort}`,
      `http://${host}:${trackerPort}/announce`,
    ]
    await this.#run(name, this.#programs.seeder, [
      `--data=${join(data, name)}`,
      `--http.host=${host}`,
      `--http.port=${httpPort(this.#options, node)}`,
      `--swarm.port=${swarmPort(this.#options, node)}`,
      `--swarm.trackers=${trackers.join(',')}`,
      '--network.allowPrivate=true',
      ...joining,
    ])
    const url = this.#url(node)
    if (node > 1) {
      const { id } = await this.#eventually(() => readNode(url))
      const ownerToken = await readFile(join(data, 'node-1', 'admin.token'), 'utf8')
      await this.#eventually(() => admit(this.#url(1), ownerToken.trim(), id))
    }
    await this.#eventually(() => checkReady(url))
    if (isFirst) this.#say(`admin token of ${name}: ${(await readFile(tokenFile, 'utf8')).trim()}`)
    this.#ready.add(name)
    this.#say(`ready: ${name} ${url}`)
  }

  /** A seeder that dies is what the others are there for. */
  #lost(name: string, reason: Error): void {
    if (this.#ready.delete(name) && this.#ready.size > 0) this.#say(`${reason.message}; the others go on`)
    else this.#fail(reason)
  }

  /** A program is asked nothing before it says that it listens: another one may have its port. */
  async #run(name: string, program: string, settings: readonly string[]): Promise<void> {
    this.#patience.signal.throwIfAborted()
    const log = join(this.#options.data, 'logs', `${name}.log`)
    // A settings file of an installed service is not meant for these.
    const daemon = new Daemon(name, [program, '--config=/dev/null', ...settings], log)
    this.#daemons.push(daemon)
    void daemon.failed.then((reason) => this.#lost(name, reason))
    await daemon.listening
  }

  #url(node: number): string {
    return `http://${host}:${httpPort(this.#options, node)}`
  }

  #eventually<T>(question: () => Promise<T>): Promise<T> {
    return eventually(question, AbortSignal.any([this.#patience.signal, AbortSignal.timeout(patienceMs)]))
  }
}
