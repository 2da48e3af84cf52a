import {
  type Access,
  type Candidate,
  type CompatMaps,
  EldernodeError,
  type NodeId,
  type Replicas,
} from '@eldernode/core'
import type { Logger } from 'pino'
import type { Imports, ImportView } from '../imports/index.ts'
import type { Library } from '../library/index.ts'
import { readRequest, type SeedRequest } from './request.ts'
import { turnOf } from './turn.ts'

export interface DigmSettings {
  accept: 'members' | 'any' | 'off'
  maxItemBytes: number
  maxBytes: number
}

export interface DigmOptions {
  self: NodeId
  settings: DigmSettings
  /** Without them this node is no eldernode to anybody. */
  maps: CompatMaps | undefined
  imports: Pick<Imports, 'add' | 'get'>
  library: Pick<Library, 'get' | 'quotas'>
  replicas: Replicas
  network: {
    /** The widest access that anybody published an item with. */
    accessOf(infoHash: string): Access | undefined
    /** Live members, as placement weighs them. */
    candidates(): readonly Candidate[]
    /** How many public items this node offers. */
    publicItems(): number
  }
  /** Where this node is reached. */
  endpoint(): string
  log: Logger
  now: () => number
}

/** The owner of what was asked for here; its quota is `maxBytes`. */
const owner = 'digm'
const beatMs = 15_000
/** How long each in turn leaves a request to the one before. */
const turnMs = 30_000
const lookMs = 1_000
/** Requests that wait for their turn, or are being fetched; those beyond are looked at when somebody writes again. */
const mostWaiting = 1000
const mostRunning = 4
/** A request that could not be met is left alone. */
const againMs = 600_000

interface Waiting {
  at: number
  infoHash: string
}

/**
 * An eldernode as DIGM's browser clients know it: says that it is there, and seeds what they ask for.
 *
 * Threat: anybody may write requests. What is fetched is bounded in number, in bytes of one item and of all, and no
 * request is believed further than its magnet.
 */
export class Digm {
  readonly #options: DigmOptions
  readonly #waiting = new Map<string, Waiting>()
  /** The import of each request. */
  readonly #running = new Map<string, { id: string; infoHash: string }>()
  readonly #failed = new Map<string, number>()
  #beat: NodeJS.Timeout | undefined
  #look: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #unwatch: (() => void) | undefined

  constructor(options: DigmOptions) {
    this.#options = options
  }

  start(): void {
    const { maps, library, settings } = this.#options
    if (maps === undefined) return
    this.#announce()
    this.#beat = setInterval(() => this.#announce(), beatMs)
    if (settings.accept === 'off') return
    library.quotas.set(owner, { bytes: settings.maxBytes, items: 0, bytesPerDay: 0 })
    for (const id of Object.keys(maps.get('seed-requests') ?? {})) {
      const soul = `seed-requests/${id}`
      // Begun before the last stop; its import goes on by itself, or is over.
      const left = maps.get(soul)
      if (left?.['eldernode'] === this.#options.self && left['status'] === 'seeding') this.#take(soul)
      else if (settings.accept === 'any') this.#consider(soul)
    }
    if (settings.accept === 'any') this.#unwatch = maps.watch('seed-requests', (soul) => this.#consider(soul))
  }

  /** A request that was written here by somebody with a token. */
  asked(soul: string): void {
    if (this.#options.settings.accept !== 'off' && soul.startsWith('seed-requests/')) this.#consider(soul)
  }

  async close(): Promise<void> {
    this.#unwatch?.()
    clearInterval(this.#beat)
    clearInterval(this.#look)
    this.#waiting.clear()
    await this.#looking
  }

  #announce(): void {
    const { self, maps, endpoint, network, now, log } = this.#options
    try {
      const seen = { lastSeen: now(), seedingCount: network.publicItems() }
      maps?.put(`eldernodes/${self}`, { nodeId: self, endpoint: endpoint(), status: 'active', ...seen })
    } catch (error) {
      log.error({ err: error }, 'the map of eldernodes could not be written; tried again in 15 s')
    }
  }

  #consider(soul: string): void {
    const { self, settings, network, now } = this.#options
    const request = this.#pending(soul)
    if (request === undefined) return void this.#waiting.delete(soul)
    const { infoHash } = request
    const known = this.#waiting.get(soul)
    if (this.#running.has(soul) || known?.infoHash === infoHash) return
    if ((this.#failed.get(infoHash) ?? 0) > now() || (!known && this.#waiting.size >= mostWaiting)) return
    // With a token it is asked of this node, and of no other.
    const turn = settings.accept === 'members' ? 0 : turnOf(self, infoHash, network.candidates())
    this.#waiting.set(soul, { at: now() + turn * turnMs, infoHash })
    this.#look ??= setInterval(() => this.#lookOnce(), lookMs)
    if (turn === 0) this.#lookOnce()
  }

  #pending(soul: string): SeedRequest | undefined {
    const request = readRequest(this.#options.maps?.get(soul))
    return request?.status === 'pending' ? request : undefined
  }

  #lookOnce(): void {
    this.#looking ??= this.#lookAtAll()
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'seed requests could not be looked at'))
      .finally(() => {
        this.#looking = undefined
        if (this.#waiting.size + this.#running.size > 0) return
        clearInterval(this.#look)
        this.#look = undefined
      })
  }

  async #lookAtAll(): Promise<void> {
    for (const soul of this.#running.keys()) this.#follow(soul)
    for (const [soul, { at }] of this.#waiting) {
      if (this.#running.size >= mostRunning) return
      if (at > this.#options.now()) continue
      this.#waiting.delete(soul)
      await this.#begin(soul)
    }
  }

  async #begin(soul: string): Promise<void> {
    const { imports, library, replicas, network, settings, log } = this.#options
    const request = this.#pending(soul)
    if (request === undefined) return
    const { infoHash, magnet } = request
    const held = library.get(infoHash)
    // Whoever knows an item's infohash must not make it public; nor is anybody told that it is not.
    if ((held?.access ?? network.accessOf(infoHash) ?? 'public') !== 'public') return
    if (held?.state === 'live') return this.#say(soul, 'seeded')
    try {
      const wanted = { owner, access: 'public' as const, replicas, maxBytes: settings.maxItemBytes }
      const { id } = await imports.add('magnet', magnet, wanted)
      this.#running.set(soul, { id, infoHash })
      this.#say(soul, 'seeding')
      log.info({ infoHash }, 'a seed request was accepted')
    } catch (error) {
      if (!(error instanceof EldernodeError)) throw error
      this.#fail(infoHash)
      log.warn({ err: error, infoHash }, 'a seed request could not be accepted')
    }
  }

  /** Looks how far the import of a request has come. */
  #follow(soul: string): void {
    const { log } = this.#options
    const { id, infoHash } = this.#running.get(soul) ?? { id: '', infoHash: '' }
    const { state, error } = this.#import(id)
    if (state === 'queued' || state === 'running') return
    this.#running.delete(soul)
    if (state === 'done') return this.#say(soul, 'seeded')
    this.#fail(infoHash)
    this.#say(soul, 'pending')
    log.warn({ infoHash, reason: error?.code ?? state }, 'what a seed request asks for could not be fetched')
  }

  #import(id: string): Pick<ImportView, 'state' | 'error'> {
    try {
      return this.#options.imports.get(id)
    } catch (error) {
      // The operator may forget it meanwhile.
      if (error instanceof EldernodeError) return { state: 'cancelled' }
      throw error
    }
  }

  /** After a restart: what was being fetched is here by now, or is asked for anew. */
  #take(soul: string): void {
    const request = readRequest(this.#options.maps?.get(soul))
    if (request === undefined) return
    const held = this.#options.library.get(request.infoHash)
    if (held?.state === 'live' && held.access === 'public') return this.#say(soul, 'seeded')
    this.#say(soul, 'pending')
    this.#consider(soul)
  }

  #say(soul: string, status: 'pending' | 'seeding' | 'seeded'): void {
    this.#options.maps?.put(soul, { status, eldernode: this.#options.self })
  }

  #fail(infoHash: string): void {
    // Those that failed last come last.
    this.#failed.delete(infoHash)
    const [oldest] = this.#failed.keys()
    if (this.#failed.size >= mostWaiting && oldest !== undefined) this.#failed.delete(oldest)
    this.#failed.set(infoHash, this.#options.now() + againMs)
  }
}
