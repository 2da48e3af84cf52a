import { request } from 'undici'
import type { Egress } from '../../egress/index.ts'
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
}

/** Asks other nodes over HTTP. Everything they answer is foreign: bounded here, judged by the caller. */
export class HolderClient {
  readonly #options: HolderClientOptions

  constructor(options: HolderClientOptions) {
    this.#options = options
  }

  /** The .torrent file. @throws HolderError */
  metainfo(base: string, infoHash: string, signal: AbortSignal): Promise<Uint8Array> {
    return this.#get(`${base}/v1/media/${infoHash}/torrent`, maxMetainfoBytes, signal)
  }

  /** The full list of an item's files, as the JSON text that its digest is of. @throws HolderError */
  files(base: string, infoHash: string, signal: AbortSignal): Promise<Uint8Array> {
    return this.#get(`${base}/v1/media/${infoHash}/files`, maxListBytes, signal)
  }

  async #get(address: string, limit: number, signal: AbortSignal): Promise<Uint8Array> {
    const url = new URL(address)
    try {
      const { statusCode, body } = await request(url, {
        dispatcher: this.#options.egress.dispatcher,
        headers: await this.#options.authorize('GET', url),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      })
      if (statusCode !== 200) {
        await body.dump()
        throw new HolderError(address, `it answered ${statusCode}`)
      }
      return await readUpTo(body, limit, address)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof HolderError) throw error
      throw new HolderError(address, error instanceof Error ? error.message : String(error), { cause: error })
    }
  }
}

async function readUpTo(body: AsyncIterable<Uint8Array>, limit: number, address: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    // Leaving the loop destroys the body, and with it the connection.
    if (size > limit) throw new HolderError(address, `its answer is larger than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}
