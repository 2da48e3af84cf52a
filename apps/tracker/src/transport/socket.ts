import { Socket as TcpSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Caller, Speaker } from '../signalling/index.ts'
import { maxMessage } from '../wire/index.ts'
import { FrameReader, type FrameReceiver, headLength, opcodes, writeHead } from './frames.ts'
import { Memory } from './memory.ts'
import type { Talker } from './message-rate.ts'
import { readShared } from './shared-reading.ts'

/** Bytes that may wait for a slow reader before it is cut off. */
const maxBuffered = 1024 * 1024

const memory = new Memory()

/** What the transport hears of a socket. */
export interface SocketOwner {
  /** It said something, whatever it is. */
  onHeard(socket: Socket): void
  onMessage(socket: Socket, bytes: Buffer, from: number, to: number, isBinary: boolean): void
  onRefusal(socket: Socket, reason: string): void
  onClose(socket: Socket): void
  onError(error: Error): void
  /** Something waits to be written; `flush` is due soon. */
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

/** One WebSocket. What is sent before `flush` leaves in one piece. */
export class Socket extends Speaker implements FrameReceiver, Talker {
  /** In which second of the turn it is pinged. */
  round = 0
  refusals = 0
  isAlive = true
  allowed = 0
  counted = 0
  share: Talker['share']
  readonly owner: SocketOwner
  readonly #stream: Duplex
  readonly #reader = new FrameReader(maxMessage)
  #out: Buffer | undefined
  #length = 0
  #isClosing = false

  /**
   * @param stream paused; it is the socket's own from now on
   * @param greeting one character for each byte, sent before any frame
   */
  constructor(stream: Duplex, greeting: string, from: Caller, owner: SocketOwner) {
    super(from)
    this.owner = owner
    this.#stream = readShared(stream, (bytes) => this.read(bytes))
    this.#stream.write(greeting, 'latin1')
    this.#listen(this.#stream)
  }

  get waiting(): number {
    return this.#reader.waiting
  }

  read(chunk: Buffer): void {
    if (this.#isClosing) return
    const rest = this.#reader.read(chunk, this)
    if (rest !== undefined) this.#stream.unshift(rest)
  }

  override send(text: string): void {
    const out = this.#begin(opcodes.text, text.length)
    if (out !== undefined) this.#length += out.write(text, this.#length, 'latin1')
  }

  override pass(bytes: Buffer, length: number): void {
    const out = this.#begin(opcodes.text, length)
    if (out !== undefined) this.#length += bytes.copy(out, this.#length, 0, length)
  }

  refuse(reason: string): void {
    this.owner.onRefusal(this, reason)
  }

  sendPing(): void {
    this.#begin(opcodes.ping, 0)
  }

  /** Writes what was sent since it was called before. */
  flush(): void {
    const out = this.#out
    const stream = this.#stream
    this.#out = undefined
    if (out === undefined) return
    if (!stream.destroyed && !stream.writableEnded) {
      if (stream.writableLength > maxBuffered) stream.destroy()
      else stream.write(out.subarray(0, this.#length))
    }
    this.#length = 0
    // What the system has not taken at once is its own until it has.
    if (stream instanceof TcpSocket && stream.writableLength === 0) memory.give(out)
  }

  /** Says why, and ends; who does not hang up in turn is cut off by `terminate`. */
  close(code: number): void {
    const out = this.#begin(opcodes.close, 2)
    if (out === undefined) return
    this.#length = out.writeUInt16BE(code, this.#length)
    this.#isClosing = true
    this.flush()
    this.#stream.end()
  }

  terminate(): void {
    this.#stream.destroy()
  }

  pause(): void {
    this.#reader.isHeld = true
    this.#stream.pause()
  }

  resume(): void {
    this.#reader.isHeld = false
    this.#stream.resume()
  }

  message(bytes: Buffer, from: number, to: number, isBinary: boolean): void {
    if (this.#isClosing) return
    this.owner.onHeard(this)
    this.owner.onMessage(this, bytes, from, to, isBinary)
  }

  ping(bytes: Buffer, from: number, to: number): void {
    this.owner.onHeard(this)
    const out = this.#begin(opcodes.pong, to - from)
    if (out !== undefined) this.#length += bytes.copy(out, this.#length, from, to)
  }

  pong(): void {
    this.owner.onHeard(this)
    this.isAlive = true
  }

  closed(): void {
    this.close(1000)
  }

  failed(code: number): void {
    this.close(code)
  }

  #listen(stream: Stream): void {
    stream[socketOf] = this
    stream.on('data', onData)
    stream.on('error', onError)
    stream.on('end', onEnd)
    stream.on('close', onClose)
    stream.resume()
  }

  /** Begins a frame. @returns where its payload goes, from `#length` on; undefined when nothing more is sent */
  #begin(opcode: number, length: number): Buffer | undefined {
    if (this.#isClosing || this.#stream.destroyed) return undefined
    const needed = this.#length + headLength(length) + length
    // A peer that is sent more than it may ever hold is not waited for.
    if (needed > maxBuffered) {
      this.terminate()
      return undefined
    }
    if (this.#out === undefined) this.owner.onPending(this)
    const out = this.#room(needed)
    this.#length = writeHead(out, this.#length, opcode, length)
    return out
  }

  #room(needed: number): Buffer {
    const out = this.#out
    if (out !== undefined && out.length >= needed) return out
    const larger = memory.take(out === undefined ? needed : needed * 2)
    if (out !== undefined) {
      out.copy(larger, 0, 0, this.#length)
      memory.give(out)
    }
    this.#out = larger
    return larger
  }
}
