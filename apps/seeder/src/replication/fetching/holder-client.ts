import { request } from 'undici'
import type { Egress } from '../../egress/index.ts'
import { patienceMs, Silence, type Passage } from '../../swarm/index.ts'
import { TransferError } from '../errors.ts'

/** A .torrent of 2,048 pieces and 10,000 long names stays below. */
const maxMetainfoBytes = 4 * 2 ** 20
const maxListBytes = 16 * 2 ** 20
const timeoutMs = 10_000

class HolderError extends TransferError {
  constructor(url: string, why: string, options?: ErrorOptions) {
    super('holder_failed', `the holder did not give ${url}: ${why}`, options)
  }
}

export interface HolderClientOptions {
  egress: Egress
  /** Headers that prove which node asks (core's signed requests). */
  authorize(method: string, url: URL): Promise<Record<string, string>>
  /** Told of the milliseconds from a request to the head of its answer. */
  measured?(base: string, ms: number): void
}

/** One file of a small item. */
export interface FileRequest {
  base: string
  infoHash: string
  /** Behind the web seed's base (BEP 19): the item's name, and the path for an item of several files. */
  place: string
  /** Bytes. */
  size: number
  passage: Passage
  /** Told of bytes as they come, whatever becomes of them. */
  came(bytes: number): void
  signal: AbortSignal
}

/** Asks other nodes over HTTP. Everything they answer is foreign: bounded here, judged by the caller. */
export class HolderClient {
  readonly #options: HolderClientOptions

  constructor(options: HolderClientOptions) {
    this.#options = options
  }

  /** The .torrent file. @throws HolderError */
  metainfo(base: string, infoHash: string, signal: AbortSignal): Promise<Uint8Array> {
    return this.#get(base, `/v1/media/${infoHash}/torrent`, maxMetainfoBytes, signal)
  }

  /** The full list of an item's files, as the JSON text that its digest is of. @throws HolderError */
  files(base: string, infoHash: string, signal: AbortSignal): Promise<Uint8Array> {
    return this.#get(base, `/v1/media/${infoHash}/files`, maxListBytes, signal)
  }

  /** A whole file by the holder's web seed, as many bytes as were asked for. @throws HolderError; the abort reason */
  async bytes({ base, infoHash, place, size, passage, came, signal }: FileRequest): Promise<Uint8Array> {
    const address = `${base}/v1/media/${infoHash}/ws/${place.split('/').map(encodeURIComponent).join('/')}`
    const silence = new Silence(patienceMs)
    try {
      const body = await this.#ask(base, new URL(address), {}, AbortSignal.any([signal, silence.signal]))
      const bytes = await readUpTo(body, size, address, async (chunk) => {
        came(chunk.length)
        const turn = passage.pass(chunk.length)
        if (turn !== undefined) await silence.without(turn)
        silence.heard()
      })
      if (bytes.length < size) throw new HolderError(address, `it gave ${bytes.length} bytes of ${size}`)
      return bytes
    } catch (error) {
      throw refined(error, address, signal)
    } finally {
      silence.clear()
    }
  }

  async #get(base: string, path: string, limit: number, signal: AbortSignal): Promise<Uint8Array> {
    const url = new URL(base + path)
    try {
      const headers = await this.#options.authorize('GET', url)
      const either = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      return await readUpTo(await this.#ask(base, url, headers, either), limit, url.href)
    } catch (error) {
      throw refined(error, url.href, signal)
    }
  }

  async #ask(
    base: string,
    url: URL,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    const { egress, measured } = this.#options
    const start = performance.now()
    const { statusCode, body } = await request(url, { dispatcher: egress.dispatcher, headers, signal })
    measured?.(base, performance.now() - start)
    if (statusCode === 200) return body
    await body.dump()
    throw new HolderError(url.href, `it answered ${statusCode}`)
  }
}

/** @throws the abort reason */
function refined(error: unknown, address: string, signal: AbortSignal): HolderError {
  signal.throwIfAborted()
  if (error instanceof HolderError) return error
  return new HolderError(address, error instanceof Error ? error.message : String(error), { cause: error })
}

async function readUpTo(
  body: AsyncIterable<Uint8Array>,
  limit: number,
  address: string,
  taken?: (chunk: Uint8Array) => Promise<void>,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    await taken?.(chunk)
    // Leaving the loop destroys the body, and with it the connection.
    if (size > limit) throw new HolderError(address, `its answer is larger than ${limit} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)
}
