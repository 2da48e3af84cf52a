import type { Logger } from 'pino'
import type { Swarm, SwarmLimits } from '../swarm/index.ts'
import { at, type Schedule } from './schedule.ts'

/** The limits as an operator sets them: rates in bytes per second, 0 for none, `idleAfter` in seconds. */
export interface LimitSettings extends SwarmLimits {
  alternative: Schedule & { uploadLimit: number; downloadLimit: number }
}

export interface LimitsOptions {
  settings: LimitSettings
  swarm: Pick<Swarm, 'limit'>
  log: Logger
  now: () => number
}

/** A clock that is set, or a machine that slept, is noticed within this time. */
const longestWaitMs = 60_000

/** Keeps the swarm within the limits that hold at each time of the week. */
export class Limits {
  readonly #options: LimitsOptions
  #settings: LimitSettings
  #timer: NodeJS.Timeout | undefined
  #alternative = false

  constructor(options: LimitsOptions) {
    this.#options = options
    this.#settings = options.settings
  }

  /** Whether the alternative limits hold now. */
  get alternative(): boolean {
    return this.#alternative
  }

  start(): void {
    this.#hold(at(this.#settings.alternative, this.#options.now()).within)
    this.#plan()
  }

  #hold(within: boolean): void {
    const { swarm, log } = this.#options
    const { uploadLimit, downloadLimit } = within ? this.#settings.alternative : this.#settings
    swarm.limit({ ...limitsOf(this.#settings), uploadLimit, downloadLimit })
    if (within !== this.#alternative) {
      const which = within ? 'the alternative limits hold from now on' : 'the alternative limits hold no more'
      log.info({ uploadLimit, downloadLimit }, which)
    }
    this.#alternative = within
  }

  #plan(): void {
    clearTimeout(this.#timer)
    const time = this.#options.now()
    const { next } = at(this.#settings.alternative, time)
    if (next < Infinity) this.#timer = setTimeout(() => this.#look(), Math.min(next - time, longestWaitMs))
  }

  #look(): void {
    const { within } = at(this.#settings.alternative, this.#options.now())
    if (within !== this.#alternative) this.#hold(within)
    this.#plan()
  }

  /** Other settings, from now on. */
  change(settings: LimitSettings): void {
    this.#settings = settings
    this.start()
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}

/** A swarm's limits at ordinary times. */
export function limitsOf(settings: LimitSettings): SwarmLimits {
  return {
    uploadLimit: settings.uploadLimit,
    downloadLimit: settings.downloadLimit,
    itemUploadLimit: settings.itemUploadLimit,
    itemDownloadLimit: settings.itemDownloadLimit,
    maxConns: settings.maxConns,
    maxConnsPerItem: settings.maxConnsPerItem,
    maxOpenFiles: settings.maxOpenFiles,
    maxActive: settings.maxActive,
    idleAfter: settings.idleAfter * 1000,
    maxChannels: settings.maxChannels,
    maxNegotiating: settings.maxNegotiating,
  }
}
