import { EldernodeError, SettingsError } from '@eldernode/core'
import { type AdminToken, openAdminToken } from '@eldernode/member/keys'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Counter, Gauge, type Registry } from 'prom-client'
import {
  AdminDoor,
  type LedgerStats,
  type NetworkStats,
  type Stats,
  sumStats,
  type WorkerStats,
} from '../admin/index.ts'
import {
  type BanSource,
  type Ledger,
  LedgerFollower,
  type LedgerSink,
  type LedgerSettings,
  ledgerOf,
  type TotalsSource,
} from '../ledger/index.ts'
import { Shared } from '../shared.ts'
import { ailments, ailmentsOf } from './health.ts'
import { Measures, type MeasuresOptions } from './measures.ts'

export interface OperationsOptions extends Omit<MeasuresOptions, 'worker' | 'refused'> {
  settings: {
    access: { mode: string }
    ledger: LedgerSettings['ledger']
    cluster: { valkey: string }
    admin: { tokenFile: string }
  }
  registry: Registry
  /** Since the process began, by reason: what transports did not take, and what the gate did not let in. */
  refused: { transports: () => Record<string, number>; access: Readonly<Record<string, number>> }
  /** Keeps in memory what the ledger says. */
  access: LedgerSink & TotalsSource & { readonly isComplete: boolean }
  manners: BanSource & { readonly bans: number; networkOf(address: string): string | undefined }
  listeners: { readonly isListening: boolean }
  /** Absent where no network is followed. */
  network?: (() => NetworkStats) | undefined
  /** The others that are one tracker with this process; absent where there are none. */
  place?: Fellows | undefined
}

/** The workers of one tracker. */
export interface Fellows {
  readonly own: number
  readonly workers: number
  /** What each worker that answers gives by `Operations.read`. */
  readAll(name: string): Promise<unknown[]>
}

/** What an operator has to do with: the ledger, the admin API, statistics, health, and lines of the log. */
export class Operations {
  readonly #options: OperationsOptions
  readonly #ledger: Ledger | undefined
  readonly #follower: LedgerFollower | undefined
  readonly #measures: Measures
  #admin: AdminDoor | undefined
  #isStopping = false

  constructor(options: OperationsOptions) {
    this.#options = options
    const { settings, log, now, access, manners, place, refused } = options
    this.#ledger = ledgerOf(settings, Date.now)
    this.#follower =
      this.#ledger &&
      new LedgerFollower({
        ledger: this.#ledger,
        sinks: [access],
        totals: [access],
        bans: [manners],
        log,
        now,
        clock: Date.now,
      })
    this.#measures = new Measures({
      ...options,
      worker: place?.own ?? 0,
      refused: () => ({ ...refused.transports(), ...refused.access }),
    })
    this.#expose()
  }

  /**
   * Resolves though the ledger be away. Rejects with `SettingsError` when passkeys are asked for and kept nowhere, with
   * `LedgerFileError`, `LedgerTooNewError`, and the errors of the token's file.
   */
  async start(): Promise<void> {
    const { settings, log } = this.#options
    const { mode } = settings.access
    if (mode === 'private' && this.#ledger === undefined) {
      const message = 'private needs passkeys, and they are kept nowhere: set ledger.file, or cluster.valkey'
      throw new SettingsError([{ key: 'access.mode', source: 'with the other settings', message }])
    }
    this.#admin = this.#openAdmin()
    await this.#ledger?.open()
    await this.#follower?.start()
    this.#measures.start()
    const { kind = 'none' } = this.#ledgerStats() ?? {}
    log.info(
      { mode, ledger: kind, admin: this.#admin !== undefined },
      'who may use this tracker, and where that is kept',
    )
  }

  /** From here on `/health` says that this process is not to be asked. */
  beginStop(): void {
    this.#isStopping = true
  }

  /** Takes the last totals to the ledger. */
  async stop(): Promise<void> {
    this.#measures.stop()
    await this.#follower?.stop()
    await this.#ledger?.close()
  }

  /** The doors of the operator. @returns whether it was one of them: then it is answered */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#admin?.answer(request, response) ?? false
  }

  /** Why this tracker serves nobody, or not everybody; none when it does. */
  async health(): Promise<string[]> {
    const { place } = this.#options
    return place === undefined ? this.#ailments() : ailmentsOf(place.workers, await place.readAll('health'))
  }

  /** What other workers ask of this one; undefined when it is none of this. */
  read(name: string): unknown {
    if (name === 'health') return this.#ailments()
    if (name === 'catchUp') return this.#follower?.catchUp()
    return name === 'stats' ? this.#measures.read() : undefined
  }

  #openAdmin(): AdminDoor | undefined {
    const { settings, manners, place, log, now } = this.#options
    const { tokenFile } = settings.admin
    if (tokenFile === '') return undefined
    const token = tokenIn(tokenFile)
    const workers = new Shared(() => this.#workers(), now)
    return new AdminDoor({
      ledger: this.#ledger,
      // A key that was just made must not be wrong at another worker.
      catchUp: async () => void (await (place?.readAll('catchUp') ?? this.#follower?.catchUp())),
      stats: async () => sumStats(this.#about(), await workers.read()),
      networkOf: (address) => manners.networkOf(address),
      clock: Date.now,
      matches: (text) => token.matches(text),
      log,
    })
  }

  #ailments(): string[] {
    const { settings, access, listeners } = this.#options
    return ailments({
      isListening: () => listeners.isListening,
      isStopping: () => this.#isStopping,
      areKeysMissing: () => settings.access.mode === 'private' && !access.isComplete,
    })
  }

  async #workers(): Promise<WorkerStats[]> {
    const { place } = this.#options
    // Each of them is this very program.
    return place === undefined ? [this.#measures.read()] : ((await place.readAll('stats')) as WorkerStats[])
  }

  /** What is not one worker's. */
  #about(): Pick<Stats, 'mode' | 'ledger' | 'network'> {
    const { settings, network } = this.#options
    return { mode: settings.access.mode, ledger: this.#ledgerStats(), network: network?.() ?? null }
  }

  #ledgerStats(): LedgerStats | null {
    const follower = this.#follower
    if (follower === undefined) return null
    const { isReady, failures, silence } = follower
    const kind = this.#options.settings.cluster.valkey === '' ? 'file' : 'valkey'
    return { kind, isReady, failures, silentSeconds: Math.round(silence) }
  }

  #expose(): void {
    const { registry, refused, manners } = this.#options
    const registers = [registry]
    const turned: Counter<'reason'> = new Counter({
      name: 'eldernode_tracker_access_refused_total',
      help: 'Announces and scrapes that the access rules refused.',
      labelNames: ['reason'],
      registers,
      collect: () => {
        turned.reset()
        for (const [reason, count] of Object.entries(refused.access)) turned.inc({ reason }, count)
      },
    })
    const bans: Gauge = new Gauge({
      name: 'eldernode_tracker_bans',
      help: 'Addresses and IPv6 /64 that are not listened to.',
      registers,
      aggregator: 'max',
      collect: () => bans.set(manners.bans),
    })
    const follower = this.#follower
    if (follower === undefined) return
    const silence: Gauge = new Gauge({
      name: 'eldernode_tracker_ledger_silence_seconds',
      help: 'Since the ledger last did all that it was asked: told what is new, and took what is to be kept.',
      registers,
      aggregator: 'max',
      collect: () => silence.set(follower.silence),
    })
    const failures: Counter = new Counter({
      name: 'eldernode_tracker_ledger_failures_total',
      help: 'Times that the ledger was asked in vain.',
      registers,
      collect: () => {
        failures.reset()
        failures.inc(follower.failures)
      },
    })
  }
}

const tokenIn = (path: string): AdminToken => {
  try {
    return openAdminToken(path)
  } catch (error) {
    if (error instanceof EldernodeError || !(error instanceof Error && 'code' in error)) throw error
    const message = `${path} cannot be made (${String(error.code)}): look at its folder, its owner and mode`
    throw new SettingsError([{ key: 'admin.tokenFile', source: 'checked at the start', message }])
  }
}
