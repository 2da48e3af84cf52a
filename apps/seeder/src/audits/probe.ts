import { InvalidInputError, type NodeId } from '@eldernode/core'
import { type Dispatcher, request } from 'undici'
import type { Egress } from '../egress/index.ts'
import { BadMetainfoError } from '../swarm/index.ts'
import { Metainfos, type MetainfosOptions, type PieceHashes } from './metainfos.ts'
import { deadlineOf, isDenial, type Outcome, sampleOf } from './outcome.ts'
import { Answer } from './answer.ts'
import type { Task } from './bucket-audit.ts'

export interface ProbeOptions extends Pick<MetainfosOptions, 'library'> {
  egress: Pick<Egress, 'dispatcher'>
  /** The base URL of a member's HTTP interface; `undefined` when it names none that may be asked. */
  baseOf(id: NodeId): string | undefined
  /** Headers that prove which node asks (core's signed requests). */
  authorize(method: string, url: URL): Promise<Record<string, string>>
  /** Told of each round trip, in milliseconds. */
  measured(id: NodeId, ms: number): void
  /** Milliseconds of a clock that never goes back. */
  clock: () => number
  random: () => number
}

/** Milliseconds in which any answer must have begun; a piece that comes later than its deadline is waited for so long. */
const patienceMs = 10_000
/** Bytes per millisecond that are waited for at least. */
const patienceRate = 64
/** A round trip counts for so long. */
const tripKeptMs = 10_000
/** Another node answers where the holder should (RFC 9110, section 15.5.20). */
const misdirected = 421
const unknownRoute = 404
const mostMetainfoBytes = 4 * 2 ** 20

/** The holder's answer is no piece. */
class AnswerError extends Error {
  readonly status: number

  constructor(status: number) {
    super(`it answered ${status}`)
    this.status = status
  }
}

/** Asks holders for pieces, and judges what comes. */
export class Probe {
  readonly #options: ProbeOptions
  readonly #metainfos: Metainfos
  readonly #trips = new Map<NodeId, { ms: number; at: number }>()
  readonly #measuring = new Map<NodeId, Promise<number>>()

  constructor(options: ProbeOptions) {
    this.#options = options
    this.#metainfos = new Metainfos({
      library: options.library,
      fetch: (holder, infoHash, signal) => this.#metainfo(holder, infoHash, signal),
    })
  }

  /** Never throws but for an ended `signal`. */
  async audit(holder: NodeId, { infoHash, piece: again }: Task, signal: AbortSignal): Promise<Outcome> {
    let piece = again ?? 0
    try {
      const trip = await this.#trip(holder, signal)
      const hashes = await this.#metainfos.get(holder, infoHash, signal)
      const pieces = Math.ceil(hashes.size / hashes.pieceLength)
      piece = again !== undefined && again < pieces ? again : Math.floor(this.#options.random() * pieces)
      return await this.#piece(holder, infoHash, piece, hashes, trip, signal)
    } catch (error) {
      signal.throwIfAborted()
      const reason = error instanceof Error ? error.message : String(error)
      const isFalse = error instanceof BadMetainfoError || error instanceof InvalidInputError
      if (isFalse || (error instanceof AnswerError && isDenial(error.status))) return { what: 'failed', piece, reason }
      return { what: 'silent', reason }
    }
  }

  /** What the pieces of an item must be. */
  hashesOf(holder: NodeId, infoHash: string, signal: AbortSignal): Promise<PieceHashes> {
    return this.#metainfos.get(holder, infoHash, signal)
  }

  /** A round trip that needs no disk, measured shortly before: what else the machine does counts in it too. */
  async #trip(holder: NodeId, signal: AbortSignal): Promise<number> {
    const known = this.#trips.get(holder)
    if (known !== undefined && this.#options.clock() - known.at < tripKeptMs) return known.ms
    const measuring =
      this.#measuring.get(holder) ?? this.#measure(holder, signal).finally(() => this.#measuring.delete(holder))
    this.#measuring.set(holder, measuring)
    return await measuring
  }

  async #measure(holder: NodeId, signal: AbortSignal): Promise<number> {
    const { clock, measured } = this.#options
    const ask = await this.#prepare(holder, '', patienceMs, signal)
    const started = clock()
    const { statusCode, body } = await ask()
    const ms = clock() - started
    await body.dump()
    if (statusCode === misdirected) throw new AnswerError(statusCode)
    // A node that is older than audits says so, whatever it holds. Who says anything else is asked for the piece.
    if (statusCode === unknownRoute) throw new Error('it knows no audits')
    this.#trips.set(holder, { ms, at: clock() })
    measured(holder, ms)
    return ms
  }

  async #metainfo(holder: NodeId, infoHash: string, signal: AbortSignal): Promise<Uint8Array> {
    const ask = await this.#prepare(holder, `/${infoHash}`, patienceMs * 2, signal)
    const { statusCode, body } = await ask()
    if (statusCode !== 200) return await refuse(statusCode, body)
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > mostMetainfoBytes) throw new BadMetainfoError(`it is longer than ${mostMetainfoBytes} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks, size)
  }

  async #piece(
    holder: NodeId,
    infoHash: string,
    piece: number,
    { pieceLength, size, hashes }: PieceHashes,
    tripMs: number,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { clock, random } = this.#options
    const length = Math.min(pieceLength, size - piece * pieceLength)
    const sample = sampleOf(length, random())
    const path = `/${infoHash}/${piece}${sample === undefined ? '' : `?sample=${sample.start}`}`
    const ask = await this.#prepare(holder, path, patienceMs + length / patienceRate, signal)
    const started = clock()
    const { statusCode, body } = await ask()
    if (statusCode !== 200) return await refuse(statusCode, body)
    const answer = new Answer(length, sample)
    let ms = Infinity
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      answer.take(chunk)
      if (ms === Infinity && answer.isSampled) ms = clock() - started
      if (answer.isTooLong) break
    }
    if (!answer.is(hashes.subarray(piece * 20, piece * 20 + 20))) {
      return { what: 'failed', piece, reason: `it gave ${answer.received} bytes that are not the piece` }
    }
    return { what: ms <= deadlineOf(sample?.length ?? length, tripMs) ? 'passed' : 'late', ms }
  }

  /** Signs the request, so that what follows is the holder's time alone. */
  async #prepare(
    holder: NodeId,
    path: string,
    withinMs: number,
    signal: AbortSignal,
  ): Promise<() => Promise<Dispatcher.ResponseData>> {
    const base = this.#options.baseOf(holder)
    if (base === undefined) throw new Error('its heartbeat names no address that may be asked')
    const url = new URL(`${base}/v1/audits/${holder}${path}`)
    const headers = path === '' ? {} : await this.#options.authorize('GET', url)
    const { dispatcher } = this.#options.egress
    return async () =>
      await request(url, {
        dispatcher,
        headers,
        signal: AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(withinMs))]),
      })
  }
}

async function refuse(status: number, body: Dispatcher.ResponseData['body']): Promise<never> {
  await body.dump()
  throw new AnswerError(status)
}
