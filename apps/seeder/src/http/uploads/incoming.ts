import type { FastifyReply, FastifyRequest } from 'fastify'
import { UploadAbortedError, UploadStalledError, UploadTooLargeError, UploadTooSlowError } from '../errors.ts'

/** Aborted once the connection is gone or what came over it is refused, unless the answer went out first. */
export function disconnection(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  const { socket } = reply.request.raw
  const abort = () => gone.abort(new UploadAbortedError())
  socket.once('refused', abort)
  reply.raw.once('close', () => {
    socket.off('refused', abort)
    if (!reply.raw.writableFinished) abort()
  })
  return gone.signal
}

/**
 * Refuses a body that says it is too large before any of it is read. `framing` is what a form may add to the bytes.
 * @throws UploadTooLargeError
 */
export function announcedSize(request: FastifyRequest, limit: number, framing = 0): number | undefined {
  const announced = request.headers['content-length']
  if (announced === undefined) return undefined
  if (Number(announced) > limit + framing) throw new UploadTooLargeError(limit)
  return Number(announced)
}

/** Counts the bytes of one upload, over all its files, and watches that they keep coming. */
export class Intake {
  readonly #limit: number
  readonly #stallMs: number
  readonly #translate: (error: unknown) => unknown
  readonly #pace: Pace
  #received = 0

  /** `translate` gives the error to throw for one that the source threw. */
  constructor(
    limits: { maxUploadBytes: number; stallMs: number },
    translate: (error: unknown) => unknown = (error) => error,
  ) {
    this.#limit = limits.maxUploadBytes
    this.#stallMs = limits.stallMs
    this.#translate = translate
    this.#pace = new Pace(limits.stallMs)
  }

  /** Passes on what `source` yields. @throws UploadTooLargeError, UploadStalledError, UploadTooSlowError, UploadAbortedError */
  async *read(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.steadily(source)) {
      this.#received += chunk.length
      if (this.#received > this.#limit) throw new UploadTooLargeError(this.#limit)
      yield chunk
    }
  }

  /** Passes on what `source` yields as long as each next one comes in time; the time of the reader does not count. */
  async *steadily<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = source[Symbol.asyncIterator]()
    const watch = new StallWatch(this.#stallMs)
    let finished = false
    try {
      for (;;) {
        const since = performance.now()
        const next = await watch.during(iterator.next())
        if (next.done === true) break
        if (next.value instanceof Uint8Array) this.#pace.came(next.value.length, performance.now() - since)
        yield next.value
      }
      finished = true
    } catch (error) {
      throw isDisconnection(error) ? new UploadAbortedError({ cause: error }) : this.#translate(error)
    } finally {
      watch.end()
      // Not awaited: a source that stalls would never answer. Its connection is closed after the answer.
      if (!finished) void iterator.return?.().catch(() => undefined)
    }
  }
}

/** Bytes a second: less than the slowest mobile networks. */
const leastRate = 1000

/**
 * Threat: a byte now and then never stalls, and keeps a connection and the place of an upload for as long as one likes.
 * Only the time spent waiting for the client counts.
 */
class Pace {
  readonly #ms: number
  #waited = 0
  #bytes = 0

  /** @param ms of waiting after which the client is judged, again and again */
  constructor(ms: number) {
    this.#ms = ms
  }

  /** @throws UploadTooSlowError */
  came(bytes: number, waitedMs: number): void {
    this.#bytes += bytes
    this.#waited += waitedMs
    if (this.#waited < this.#ms) return
    const least = (leastRate * this.#ms) / 1000
    if (this.#bytes < least) throw new UploadTooSlowError(least, this.#ms)
    this.#waited = 0
    this.#bytes = 0
  }
}

class StallWatch {
  readonly #ms: number
  readonly #timer: NodeJS.Timeout
  #stalled: (() => void) | undefined

  constructor(ms: number) {
    this.#ms = ms
    // After a busy spell of this process, what arrived meanwhile is read before the client is called late.
    this.#timer = setTimeout(() => setImmediate(() => this.#stalled?.()), ms)
  }

  async during<T>(arrival: Promise<T>): Promise<T> {
    this.#timer.refresh()
    try {
      return await Promise.race([
        arrival,
        new Promise<never>((_, reject) => {
          this.#stalled = () => reject(new UploadStalledError(this.#ms))
        }),
      ])
    } finally {
      this.#stalled = undefined
    }
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

function isDisconnection(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')
  )
}
