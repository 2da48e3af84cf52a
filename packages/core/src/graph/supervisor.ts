import { EldernodeError } from '../errors.ts'
import type { NodeId } from '../identity/index.ts'
import type { Dial, Socket } from './port.ts'

/** A place to dial: `foreign` ones were learned from heartbeats. */
export interface Target {
  url: string
  foreign: boolean
  /** The node expected there, when it is known. */
  node?: NodeId | undefined
}

export interface SupervisorOptions {
  dial: Dial
  targets(): readonly Target[]
  /** Whether a link to this URL or node stands or is being opened. */
  isLinked(target: Target): boolean
  onSocket(socket: Socket, target: Target): void
  onRefused(reason: string): void
  /** Told what went wrong with a socket that had opened. */
  onFault(error: unknown): void
  now: () => number
  random: () => number
}

/** Milliseconds between two rounds; each round is up to a third earlier or later, so that nodes do not dial in step. */
const roundTime = 3000
const dialTime = 10_000
/** How long a place that a heartbeat named and that did not answer is left alone. */
const foreignPause = 60_000
/** Dials under way at once. */
const mostDials = 16
const remembered = 4096

/** Keeps the wanted links up: dials what is missing, again and again, and never in parallel to the same place. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #dialling = new Map<string, AbortController>()
  /** Which node answered at a URL, so that a link it dialled counts as this one. */
  readonly #nodes = new Map<string, NodeId>()
  readonly #paused = new Map<string, number>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  start(): void {
    this.#round()
  }

  /** Ends the timer and gives up every dial. */
  stop(): void {
    this.#stopped = true
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    for (const controller of this.#dialling.values()) controller.abort()
  }

  learn(url: string, node: NodeId): void {
    if (this.#nodes.size >= remembered) this.#nodes.clear()
    this.#nodes.set(url, node)
  }

  #round(): void {
    if (this.#stopped) return
    for (const target of this.#options.targets()) {
      const known = { ...target, node: target.node ?? this.#nodes.get(target.url) }
      if (this.#dialling.size >= mostDials) break
      if (this.#dialling.has(target.url) || this.#isPaused(target.url) || this.#options.isLinked(known)) continue
      void this.#dial(known)
    }
    this.#timer = setTimeout(() => this.#round(), roundTime * (2 / 3 + (2 / 3) * this.#options.random()))
  }

  #isPaused(url: string): boolean {
    const until = this.#paused.get(url)
    if (until === undefined || this.#options.now() < until) return until !== undefined
    this.#paused.delete(url)
    return false
  }

  async #dial(target: Target): Promise<void> {
    const controller = new AbortController()
    this.#dialling.set(target.url, controller)
    const timeout = setTimeout(() => controller.abort(), dialTime)
    try {
      const socket = await this.#options.dial(target.url, { signal: controller.signal, foreign: target.foreign })
      this.#take(socket, target)
    } catch (error) {
      // A peer that is down is the normal case this class is for; an address that may not be dialled is an attack.
      if (error instanceof EldernodeError) this.#options.onRefused(error.code)
      if (this.#paused.size >= remembered) this.#paused.clear()
      if (target.foreign) this.#paused.set(target.url, this.#options.now() + foreignPause)
    } finally {
      clearTimeout(timeout)
      this.#dialling.delete(target.url)
    }
  }

  #take(socket: Socket, target: Target): void {
    if (this.#stopped) return socket.terminate()
    try {
      this.#options.onSocket(socket, target)
    } catch (error) {
      socket.terminate()
      this.#options.onFault(error)
    }
  }
}
