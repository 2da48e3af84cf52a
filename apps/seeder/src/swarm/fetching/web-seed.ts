import Wire from 'bittorrent-protocol'
import { createHash } from 'node:crypto'
import { fetch } from 'undici'
import type { Egress } from '../../egress/index.ts'
import type { Metainfo, Passage } from '../port.ts'
import { patienceMs } from './patience.ts'
import { Silence } from './silence.ts'
import { spans } from '../reading/spans.ts'
import type { Extent } from '../reading/spans.ts'

/** Milliseconds in which a piece must have arrived. */
const requestTimeout = 60_000

const [firstRetry, lastRetry] = [1_000, 60_000]

export interface WebSeedOptions {
  /** Base URL (BEP 19): a URL ending in `/` gets the item's name, and the path for an item of several files. */
  url: string
  infoHash: string
  metainfo: Metainfo
  egress: Egress
  /** How the bytes of one answer keep to the download limits. */
  passage(): Passage
  /** Told of bytes as they arrive. */
  received(bytes: number): void
  failed(error: unknown): void
  /** Whether nobody else may give its pieces, so that its silence is waited out. */
  isAlone?(): boolean
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
    const deadline = new Deadline(requestTimeout)
    const silence = new Silence(patienceMs, this.#options.isAlone ?? (() => true))
    const signal = AbortSignal.any([this.#stop.signal, deadline.signal, silence.signal])
    const passage = this.#options.passage()
    // Whoever waits for its turn is not told of the end of a body.
    signal.addEventListener('abort', () => passage.end(), { once: true })
    try {
      const body = await this.#ask(file, position, target.length, signal)
      await this.#fill(target, body, passage, deadline, silence)
    } finally {
      deadline.clear()
      silence.clear()
      passage.end()
    }
  }

  async #ask(
    { path, size }: Metainfo['files'][number],
    position: number,
    length: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    const response = await fetch(this.#url(path), {
      dispatcher: this.#options.egress.dispatcher,
      signal,
      headers: { range: `bytes=${position}-${position + length - 1}`, 'accept-encoding': 'identity' },
    })
    const whole = response.status === 200 && position === 0 && length === size
    if ((response.status !== 206 && !whole) || response.body === null) {
      await response.body?.cancel()
      throw new Error(`the web seed answered ${response.status} to a range request`)
    }
    return response.body as AsyncIterable<Uint8Array>
  }

  async #fill(
    target: Uint8Array,
    body: AsyncIterable<Uint8Array>,
    passage: Passage,
    deadline: Deadline,
    silence: Silence,
  ): Promise<void> {
    let filled = 0
    for await (const chunk of body) {
      if (filled + chunk.length > target.length) throw new Error('the web seed sent more than was asked for')
      const turn = passage.pass(chunk.length)
      if (turn !== undefined) await silence.without(deadline.without(turn))
      silence.heard()
      this.#options.received(chunk.length)
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

/** A time-out that stands still while this node itself makes the answer wait. */
class Deadline {
  readonly #abort = new AbortController()
  #left: number
  #since = 0
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number) {
    this.#left = ms
    this.#run()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  async without(waiting: Promise<void>): Promise<void> {
    this.clear()
    this.#left -= performance.now() - this.#since
    await waiting
    this.#run()
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  #run(): void {
    this.#since = performance.now()
    const late = (): void => this.#abort.abort(new Error(`the web seed took more than ${requestTimeout / 1000} s`))
    this.#timer = setTimeout(late, this.#left)
  }
}

type Answer = (error: Error | null, bytes: Uint8Array) => void
