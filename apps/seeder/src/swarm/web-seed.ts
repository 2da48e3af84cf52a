import Wire from 'bittorrent-protocol'
import { createHash } from 'node:crypto'
import { fetch } from 'undici'
import type { Egress } from '../egress/index.ts'
import type { Metainfo } from './metainfo.ts'
import { spans } from './spans.ts'
import type { Extent } from './spans.ts'

/** Milliseconds in which a piece must have arrived. */
const requestTimeout = 60_000

const [firstRetry, lastRetry] = [1_000, 60_000]

export interface WebSeedOptions {
  /** Base URL (BEP 19): a URL ending in `/` gets the item's name, and the path for an item of several files. */
  url: string
  infoHash: string
  metainfo: Metainfo
  egress: Egress
  failed(error: unknown): void
}

/**
 * An HTTP server as a peer that has everything (BEP 19). The engine speaks the wire protocol to it, in memory; each
 * request becomes one range request per file. After a failure it chokes, so that other peers get its pieces at once,
 * and tries again later.
 */
export class WebSeed extends Wire {
  readonly connId: string
  readonly #options: WebSeedOptions
  readonly #extents: Extent[] = []
  readonly #stop = new AbortController()
  #retryAfter = firstRetry
  #retry: NodeJS.Timeout | undefined

  constructor(options: WebSeedOptions) {
    super('webSeed')
    this.connId = options.url
    this.#options = options
    let end = 0
    for (const { size } of options.metainfo.files) {
      this.#extents.push({ offset: end, size })
      end += size
    }
    this.once('handshake', () => {
      this.handshake(options.infoHash, createHash('sha1').update(options.url).digest('hex'), { fast: true })
      this.haveAll()
    })
    this.once('interested', () => this.unchoke())
    this.on('request', (piece: number, offset: number, length: number, answer: Answer) => {
      this.#range(piece * options.metainfo.pieceLength + offset, length).then(
        (bytes) => {
          this.#retryAfter = firstRetry
          answer(null, bytes)
        },
        (error: unknown) => this.#pause(error),
      )
    })
    this.once('close', () => this.#end())
    this.once('finish', () => this.#end())
  }

  #end(): void {
    clearTimeout(this.#retry)
    this.#stop.abort()
  }

  #pause(error: unknown): void {
    if (this.destroyed || this.amChoking || this.#stop.signal.aborted) return
    this.#options.failed(error)
    this.choke()
    this.#retry = setTimeout(() => this.unchoke(), this.#retryAfter)
    this.#retryAfter = Math.min(this.#retryAfter * 2, lastRetry)
  }

  async #range(offset: number, length: number): Promise<Uint8Array> {
    const target = new Uint8Array(length)
    await Promise.all(
      spans(this.#extents, offset, length).map((span) =>
        this.#read(span.file, span.position, target.subarray(span.at, span.at + span.length)),
      ),
    )
    return target
  }

  async #read(index: number, position: number, target: Uint8Array): Promise<void> {
    const file = this.#options.metainfo.files[index]
    if (file === undefined) throw new RangeError(`no file ${index}`)
    const response = await fetch(this.#url(file.path), {
      dispatcher: this.#options.egress.dispatcher,
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(requestTimeout)]),
      headers: { range: `bytes=${position}-${position + target.length - 1}`, 'accept-encoding': 'identity' },
    })
    const whole = response.status === 200 && position === 0 && target.length === file.size
    if ((response.status !== 206 && !whole) || response.body === null) {
      await response.body?.cancel()
      throw new Error(`the web seed answered ${response.status} to a range request`)
    }
    let filled = 0
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      if (filled + chunk.length > target.length) throw new Error('the web seed sent more than was asked for')
      target.set(chunk, filled)
      filled += chunk.length
    }
    if (filled < target.length) throw new Error('the web seed sent less than was asked for')
  }

  #url(path: string): string {
    const { url, metainfo } = this.#options
    const encode = (parts: string): string => parts.split('/').map(encodeURIComponent).join('/')
    const single = metainfo.files.length === 1 && metainfo.files[0]?.path === metainfo.name
    if (single) return url.endsWith('/') ? url + encode(metainfo.name) : url
    return `${url}${url.endsWith('/') ? '' : '/'}${encode(metainfo.name)}/${encode(path)}`
  }
}

type Answer = (error: Error | null, bytes: Uint8Array) => void
