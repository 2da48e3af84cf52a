import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { TrackerSettings } from '../config.ts'
import { connectionSecret, ensureFree } from '../transport/index.ts'
import type { News } from './orders.ts'
import { shardOf } from './shard.ts'
import { WorkerProcess } from './worker-process.ts'

/** What the network lists. */
export interface Followed {
  start(tell: (news: News) => void): void
  /** Resolves once the file that workers read says all that was told. */
  save(): Promise<void>
  readonly standing: Extract<News, { kind: 'standing' }>['standing']
  stop(): Promise<void>
}

export interface SupervisorOptions {
  settings: TrackerSettings
  log: Logger
  /** What a worker runs. */
  program: URL
  /** Who follows the network for all of them; absent where nobody does. */
  network?: Followed | undefined
  /** All workers have begun with what an earlier run has left. */
  begun: () => void
}

/**
 * The first process of a tracker of several: it starts the workers, starts those again that die, and introduces them to
 * each other. What clients say never comes here.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #workers: WorkerProcess[]
  readonly #secret = [...connectionSecret()]
  #settings: TrackerSettings
  #folder: string | undefined
  #changed: Promise<void> = Promise.resolve()

  constructor(options: SupervisorOptions) {
    const { settings, log, program, network } = options
    this.#options = options
    this.#settings = settings
    this.#workers = Array.from(
      { length: settings.cluster.workers },
      (_, own) =>
        new WorkerProcess({
          program,
          own,
          log,
          begin: () => ({
            is: 'begin',
            settings: this.#settings,
            own,
            folder: this.#folder ?? '',
            secret: this.#secret,
          }),
          onBegun: async (tell) => {
            if (network === undefined) return
            await network.save()
            tell({ kind: 'anew' })
            tell({ kind: 'standing', standing: network.standing })
          },
          onGiven: (given, handle) => {
            const to = this.#workers[shardOf(given.shard, this.#workers.length)]
            if (to === undefined) handle.close()
            else to.give(given, handle)
          },
        }),
    )
  }

  /** Resolves to the real port when all workers listen there. Rejects with `ListenError` and `WorkerFailedError`. */
  async start(): Promise<number> {
    const { settings, begun, network, log } = this.#options
    // Nobody else may come in.
    this.#folder = mkdtempSync(join(tmpdir(), 'eldernode-tracker-'))
    try {
      // Workers share the port; with whom else they would must be found out before.
      if (settings.port !== 0) await ensureFree(settings.host, settings.port)
      network?.start((news) => {
        for (const worker of this.#workers) worker.tell(news)
      })
      await Promise.all(this.#workers.map((worker) => worker.begin()))
      begun()
      const [first, ...others] = this.#workers
      const port = (await first?.open(settings.port)) ?? 0
      await Promise.all(others.map((worker) => worker.open(port)))
      log.info({ workers: this.#workers.map(({ pid }) => pid) }, 'the workers listen')
      return port
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Rejects with `ChangeRefusedError` when one of them does not take the settings, `WorkerFailedError` when it ended. */
  async change(settings: TrackerSettings): Promise<void> {
    // One after the other: each worker answers for one change at a time.
    const changed = this.#changed.then(async () => {
      await Promise.all(this.#workers.map((worker) => worker.change(settings)))
      // A worker that starts again begins with what all have taken.
      this.#settings = settings
    })
    this.#changed = changed.catch(() => undefined)
    await changed
  }

  async stop(): Promise<void> {
    await Promise.all([this.#options.network?.stop(), ...this.#workers.map((worker) => worker.stop())])
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
  }
}
