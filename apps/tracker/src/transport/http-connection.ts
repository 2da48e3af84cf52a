import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type HttpHead, heads, readHead } from '../wire/index.ts'
import { type Family, parseAddress } from './address.ts'
import type { Mortal } from './deadlines.ts'
import type { Asker } from './http-tracker.ts'

/** What the listener does with what a connection brings. */
export interface HttpOwner {
  /** Filled by each connection in its turn. */
  readonly head: HttpHead
  /** An answer of status 200 up to the number of its bytes. */
  readonly okHead: string
  /** Takes the request in `head`, to be answered now or later. False: it is none of the tracker's. */
  onRequest(connection: HttpConnection): boolean
  /** The connection asks in `head` to become a WebSocket. The socket is paused, `rest` follows the head. */
  onUpgrade(connection: HttpConnection, socket: Socket, rest: Buffer): void
  /** Something else than a request for the tracker. The socket is paused, `rest` is all that was not answered. */
  onOther(connection: HttpConnection, socket: Socket, rest: Buffer): void
  /** A request has begun to come, or was answered: other times are allowed. */
  onBegun(connection: HttpConnection): void
  onAnswered(connection: HttpConnection): void
  onClose(connection: HttpConnection): void
  onError(error: Error): void
}

/** Who has a place among the TCP connections for some time, and gives way to others when that is up. */
export interface Visitor extends Mortal {
  /** By which it is counted, while it is. */
  place: string | undefined
  /** Hangs up on one who waits for nothing. */
  endIdle(): void
  terminate(): void
}

const connectionOf = Symbol('connection')

type Stream = Socket & { [connectionOf]?: HttpConnection | undefined }

// One function for all connections instead of a closure for each.
function onData(this: Stream, chunk: Buffer): void {
  this[connectionOf]?.read(chunk)
}

function onDrain(this: Stream): void {
  this[connectionOf]?.goOn()
}

function onEnd(this: Stream): void {
  this[connectionOf]?.ended()
}

function onError(this: Stream, error: Error): void {
  this[connectionOf]?.failed(error)
}

function onClose(this: Stream): void {
  this[connectionOf]?.closed()
}

/**
 * One connection of HTTP. Its requests are answered one at a time and in order; while one waits for its answer, or answers
 * wait for a slow reader, no more is read.
 */
export class HttpConnection implements Asker, Visitor {
  deadline = 0
  round = 0
  place: string | undefined
  readonly #socket: Stream
  readonly #owner: HttpOwner
  #address: Int32Array | undefined
  #kind: Family | undefined
  /** What has come and is not answered, one character for each byte. */
  #rest = ''
  #isBegun = false
  #isAsked = false
  #isLast = false
  #isReading = false
  #isEnded = false
  #isOver = false

  constructor(socket: Socket, owner: HttpOwner) {
    this.#socket = socket
    this.#owner = owner
    this.#socket[connectionOf] = this
    socket.on('data', onData)
    socket.on('drain', onDrain)
    socket.on('end', onEnd)
    socket.on('error', onError)
    socket.on('close', onClose)
  }

  get remote(): string {
    return this.#socket.remoteAddress ?? ''
  }

  caller(into: Int32Array): Family | undefined {
    if (this.#address === undefined) {
      this.#address = new Int32Array(4)
      this.#kind = parseAddress(this.remote, this.#address)
    }
    into.set(this.#address)
    return this.#kind
  }

  reply(status: number, text: string, isLast = false): void {
    if (!this.#isAsked || this.#isOver) return
    this.#isAsked = false
    const isEnd = isLast || this.#isLast
    const start = status === 200 ? this.#owner.okHead : headOf(status)
    this.#socket.write(start + text.length + (isEnd ? lastHead : plainHead) + text, 'latin1')
    if (isEnd) return this.#finish()
    this.#owner.onAnswered(this)
    if (!this.#isReading) this.goOn()
  }

  read(chunk: Buffer): void {
    const text = chunk.toString('latin1')
    this.#rest = this.#rest === '' ? text : this.#rest + text
    this.goOn()
  }

  /** Goes through what has come, as far as it may. */
  goOn(): void {
    const owner = this.#owner
    const text = this.#rest
    let at = 0
    this.#isReading = true
    while (at < text.length && this.#mayRead()) {
      const found = readHead(text, at, owner.head)
      if (found === heads.partial) break
      if (found === heads.other) return this.#giveUp(text, at)
      const { end, isUpgrade, isLast } = owner.head
      if (isUpgrade) return owner.onUpgrade(this, this.#leave(), Buffer.from(text.slice(end), 'latin1'))
      this.#isAsked = true
      this.#isBegun = false
      this.#isLast = isLast
      if (!owner.onRequest(this)) return this.#giveUp(text, at)
      at = end
    }
    this.#isReading = false
    if (this.#isOver) return
    this.#rest = at === text.length ? '' : text.slice(at)
    if (this.#mayRead()) this.#wait()
    else if (this.#rest !== '') this.#socket.pause()
  }

  ended(): void {
    this.#isEnded = true
    if (this.#mayRead()) this.#finish()
  }

  failed(error: Error): void {
    this.#owner.onError(error)
  }

  closed(): void {
    this.#isOver = true
    this.#owner.onClose(this)
  }

  endIdle(): void {
    if (this.#isAsked) this.#isLast = true
    else this.#finish()
  }

  terminate(): void {
    this.#socket.destroy()
  }

  #mayRead(): boolean {
    return !this.#isAsked && !this.#isOver && !this.#socket.writableNeedDrain
  }

  #wait(): void {
    if (this.#isEnded) return this.#finish()
    if (this.#rest !== '' && !this.#isBegun) {
      this.#isBegun = true
      this.#owner.onBegun(this)
    }
    if (this.#socket.isPaused()) this.#socket.resume()
  }

  #finish(): void {
    this.#isOver = true
    this.#socket.destroySoon()
  }

  #giveUp(text: string, at: number): void {
    this.#owner.onOther(this, this.#leave(), Buffer.from(text.slice(at), 'latin1'))
  }

  /** Gives the socket away as it was taken. */
  #leave(): Socket {
    const socket = this.#socket
    this.#isOver = true
    socket[connectionOf] = undefined
    socket.pause()
    socket.off('data', onData)
    socket.off('drain', onDrain)
    socket.off('end', onEnd)
    socket.off('error', onError)
    socket.off('close', onClose)
    this.#owner.onClose(this)
    return socket
  }
}

/** What trackers send is no text of any kind. */
export const contentType = 'text/plain; charset=latin1'

const plainHead = '\r\n\r\n'
const lastHead = '\r\nconnection: close\r\n\r\n'

const headOf = (status: number): string =>
  `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ndate: ${new Date().toUTCString()}\r\n` +
  `content-type: ${contentType}\r\ncontent-length: `

/** The same for `HttpOwner.okHead`: it names the present second. */
export const okHead = (): string => headOf(200)
