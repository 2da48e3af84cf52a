import type { Duplex } from 'node:stream'
import { type Caller, Speaker } from '../signalling/index.ts'
import { maxMessage } from '../wire/index.ts'
import { frame, FrameReader, type FrameReceiver, opcodes, Scratch } from './frames.ts'

/** Bytes that may wait for a slow reader before it is cut off. */
const maxBuffered = 1024 * 1024

const scratch = new Scratch(maxMessage)

/** What the transport hears of a socket. */
export interface SocketOwner {
  onMessage(socket: Socket, text: string, isBinary: boolean): void
  onClose(socket: Socket): void
  onError(error: Error): void
  /** It said something malformed, or beyond a limit. */
  onRefusal(socket: Socket, reason: string): void
  /** Something waits to be written; `flush` is due before the loop turns. */
  onPending(socket: Socket): void
}

const socketOf = Symbol('socket')

type Stream = Duplex & { [socketOf]?: Socket }

// One function for all sockets instead of a closure for each.
function onData(this: Stream, chunk: Buffer): void {
  this[socketOf]?.read(chunk)
}

function onError(this: Stream, error: Error): void {
  this[socketOf]?.owner.onError(error)
}

function onEnd(this: Stream): void {
  this.end()
}

function onClose(this: Stream): void {
  const socket = this[socketOf]
  if (socket !== undefined) socket.owner.onClose(socket)
}

/** One WebSocket. What is sent within one turn of the loop leaves in one piece. */
export class Socket extends Speaker implements FrameReceiver {
  /** In which second of the turn it is pinged. */
  round = 0
  refusals = 0
  isAlive = true
  readonly owner: SocketOwner
  readonly #stream: Duplex
  readonly #reader = new FrameReader(maxMessage, scratch)
  #out = ''
  #isClosing = false

  constructor(stream: Stream, from: Caller, owner: SocketOwner) {
    super(from)
    this.#stream = stream
    this.owner = owner
    stream[socketOf] = this
    stream.on('data', onData)
    stream.on('error', onError)
    stream.on('end', onEnd)
    stream.on('close', onClose)
  }

  get waiting(): number {
    return this.#reader.waiting
  }

  read(chunk: Buffer): void {
    if (!this.#isClosing) this.#reader.read(chunk, this)
  }

  override send(text: string): void {
    this.#write(frame(opcodes.text, text))
  }

  refuse(reason: string): void {
    this.owner.onRefusal(this, reason)
  }

  sendPing(): void {
    this.#write(frame(opcodes.ping, ''))
  }

  /** Writes what was sent in this turn. */
  flush(): void {
    const out = this.#out
    this.#out = ''
    if (out === '' || this.#stream.destroyed) return
    if (this.#stream.writableLength > maxBuffered) this.#stream.destroy()
    else if (!this.#stream.writableEnded) this.#stream.write(out, 'latin1')
  }

  /** Says why, and ends; who does not hang up in turn is cut off by `terminate`. */
  close(code: number): void {
    if (this.#isClosing) return
    this.#write(frame(opcodes.close, String.fromCharCode(code >> 8, code & 255)))
    this.#isClosing = true
    this.flush()
    this.#stream.end()
  }

  terminate(): void {
    this.#stream.destroy()
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  message(text: string, isBinary: boolean): void {
    if (!this.#isClosing) this.owner.onMessage(this, text, isBinary)
  }

  ping(payload: string): void {
    this.#write(frame(opcodes.pong, payload))
  }

  pong(): void {
    this.isAlive = true
  }

  closed(): void {
    this.close(1000)
  }

  failed(code: number): void {
    this.close(code)
  }

  #write(bytes: string): void {
    if (this.#isClosing) return
    if (this.#out === '') this.owner.onPending(this)
    this.#out += bytes
    // A peer that is sent more than it may ever hold is not waited for.
    if (this.#out.length > maxBuffered) this.terminate()
  }
}
