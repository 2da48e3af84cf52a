import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { bucketOf, type GivenResult, type Graph, type NodeId, ProofIndex, tagOf } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Library } from '../library/index.ts'
import type { LocalPiece } from './door.ts'
import type { PieceHashes } from './metainfos.ts'
import type { OwnFailure } from './port.ts'

export interface OwnFailuresOptions {
  self: NodeId
  graph: Pick<Graph, 'entries' | 'get' | 'members' | 'watch'>
  library: Pick<Library, 'check' | 'quarantinePiece' | 'verify'>
  /** A piece as it lies on the own disk. @throws NotHeldError, StorageSuspendedError */
  read(infoHash: string, piece: number): Promise<LocalPiece>
  hashesOf(infoHash: string, signal: AbortSignal): Promise<PieceHashes>
  /** Told once of each piece that this node failed. */
  failed(failure: OwnFailure): void
  now: () => number
  /** Milliseconds of a clock that nobody sets. */
  clock: () => number
  log: Pick<Logger, 'error' | 'warn'>
}

/** An item is hashed again for an auditor's word no more often: it may be wrong, or lie. */
const betweenMs = 3_600_000
const mostWaiting = 1_000
const chunkBytes = 2 ** 20

/** Listens to what auditors say of this node, and looks at what they say is wrong. */
export class OwnFailures {
  readonly #options: OwnFailuresOptions
  readonly #index = new ProofIndex()
  /** Results that name a failure: there are none, nearly always. */
  readonly #failing = new Set<string>()
  readonly #told = new Set<string>()
  readonly #looked = new Map<string, number>()
  readonly #waiting = new Map<string, number>()
  readonly #abort = new AbortController()
  #work: Promise<void> | undefined
  #unwatch = (): void => undefined

  constructor(options: OwnFailuresOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { graph, self } = this.#options
    // What was read before a pause may be older than what was told since.
    const newer = new Set<string>()
    let reading = true
    this.#unwatch = graph.watch('a', (given) => {
      if (!given.key.startsWith(self)) return
      if (reading) newer.add(`${given.pub} ${given.key}`)
      this.#take(given)
      if (this.#failing.size > 0 || this.#told.size > 0) this.#look()
    })
    let read = 0
    for (const given of graph.entries('a')) {
      if (given.key.startsWith(self) && !newer.has(`${given.pub} ${given.key}`)) this.#take(given)
      if (++read % 100 === 0) await nextTurn()
    }
    reading = false
    this.#look()
  }

  /** What is failed now, of what this node still claims; one for each item. */
  current(): OwnFailure[] {
    const { graph, self, now } = this.#options
    if (this.#failing.size === 0) return []
    this.#index.trust(graph.members('auditor'), now())
    const found = new Map<string, OwnFailure>()
    const claims = new Map<string, Map<string, string>>()
    for (const { tag, piece, since, auditor } of this.#index.failuresOf(self)) {
      const bucket = bucketOf(tag)
      const claimed = claims.get(bucket) ?? this.#claimed(bucket)
      claims.set(bucket, claimed)
      const infoHash = claimed.get(tag)
      if (infoHash !== undefined && !found.has(infoHash)) found.set(infoHash, { infoHash, piece, since, auditor })
    }
    return [...found.values()]
  }

  async close(): Promise<void> {
    this.#unwatch()
    this.#abort.abort()
    await this.#work
  }

  #take(given: GivenResult): void {
    this.#index.set(given)
    const name = `${given.pub} ${given.key}`
    if (given.body.failed.length > 0) this.#failing.add(name)
    else this.#failing.delete(name)
  }

  /** What this node says to hold, by tag. */
  #claimed(bucket: string): Map<string, string> {
    const { graph, self } = this.#options
    const said = [bucket, `x/${bucket}`].flatMap((key) => graph.get('h', self, key)?.body ?? [])
    return new Map(said.flatMap(({ held, releasing }) => [...held, ...releasing]).map((hash) => [tagOf(hash), hash]))
  }

  #look(): void {
    const { log, failed, clock } = this.#options
    const current = this.current()
    const open = new Set(current.map(({ infoHash, since }) => `${infoHash} ${since}`))
    for (const name of this.#told) if (!open.has(name)) this.#told.delete(name)
    for (const failure of current) {
      const { infoHash, piece, since, auditor } = failure
      const name = `${infoHash} ${since}`
      if (this.#told.has(name)) continue
      this.#told.add(name)
      log.error({ infoHash, piece, auditor }, 'an audit of this node failed: its copy counts no more until it passes')
      failed(failure)
      if (clock() - (this.#looked.get(infoHash) ?? -Infinity) < betweenMs) continue
      if (this.#waiting.size < mostWaiting) this.#waiting.set(infoHash, piece)
    }
    if (this.#waiting.size > 0) this.#begin()
  }

  #begin(): void {
    this.#work ??= this.#workOff().finally(() => {
      this.#work = undefined
    })
  }

  async #workOff(): Promise<void> {
    const { clock, log } = this.#options
    for (const [infoHash, piece] of this.#waiting) {
      this.#waiting.delete(infoHash)
      this.#forgetLooks()
      this.#looked.set(infoHash, clock())
      try {
        await this.#examine(infoHash, piece)
      } catch (err) {
        if (this.#abort.signal.aborted) return
        log.error({ err, infoHash, piece }, 'what an audit found wrong could not be looked at')
      }
    }
  }

  #forgetLooks(): void {
    const { clock } = this.#options
    for (const [infoHash, at] of this.#looked) {
      if (clock() - at < betweenMs && this.#looked.size < mostWaiting) return
      this.#looked.delete(infoHash)
    }
  }

  /** A wrong piece is told to the library, which has it mended; otherwise everything is hashed. */
  async #examine(infoHash: string, piece: number): Promise<void> {
    const { library, log } = this.#options
    const { signal } = this.#abort
    if (!(await library.check(infoHash))) return
    if (!(await this.#isRight(infoHash, piece, signal))) {
      log.error({ infoHash, piece }, 'the audit was right: the piece is wrong on this disk, and is fetched again')
      return library.quarantinePiece(infoHash, piece)
    }
    if (await library.verify(infoHash, { all: true, signal })) {
      log.warn(
        { infoHash, piece },
        'every byte is right on this disk: what the auditor got was not, or came of another',
      )
    }
  }

  async #isRight(infoHash: string, piece: number, signal: AbortSignal): Promise<boolean> {
    const { hashes } = await this.#options.hashesOf(infoHash, signal)
    const local = await this.#options.read(infoHash, piece)
    try {
      const digest = createHash('sha1')
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, local.length))
      for (let at = 0; at < local.length;) {
        const got = await local.read(chunk, chunk.length, at)
        if (got === 0) return false
        digest.update(chunk.subarray(0, got))
        at += got
      }
      return digest.digest().equals(hashes.subarray(piece * 20, piece * 20 + 20))
    } finally {
      await local.close()
    }
  }
}
