import { Duplex } from 'node:stream'
import type { DataChannel, PeerConnection } from 'node-datachannel'

/** What a channel needs of libdatachannel. */
export type ChannelPort = Pick<
  DataChannel,
  | 'bufferedAmount'
  | 'close'
  | 'maxMessageSize'
  | 'onBufferedAmountLow'
  | 'onClosed'
  | 'onError'
  | 'onMessage'
  | 'sendMessageBinary'
  | 'setBufferedAmountLowThreshold'
>
export type ConnectionPort = Pick<PeerConnection, 'bytesSent' | 'close'>

/** Bytes handed to the channel and not yet taken by the network: above `high` writing waits until `low` is reached. */
const [high, low] = [1024 * 1024, 256 * 1024]

/** What a receiver that says nothing takes (RFC 8841), and what is buffered here of what waits to be sent. */
const messageBytes = 64 * 1024

/**
 * A block of 16 KiB with its head (BEP 3). Messages end where blocks end, as far as they can: what ends elsewhere is
 * copied by the engine of a browser to join the halves, one CPU-second per GiB or more.
 */
const blockMessageBytes = 13 + 16 * 1024

/** Bytes received that nobody has read. */
const maxUnread = 8 * 1024 * 1024

/**
 * Milliseconds in which SCTP took no byte, though some wait, after which a channel counts as stalled. usrsctp at times
 * loses its retransmission timer (usrsctp issue 750): what was lost is then never sent again, while ICE and DTLS stay
 * alive and nobody is told. Measured on a busy 2-core machine with Chromium, 400 MB each: 5 of 20 downloads with the
 * library's send buffer of 1 MiB, 2 of 10 with 256 KiB.
 */
export const stallAfter = 4_000
const checkEvery = 1_000

/** A WebRTC data channel as a byte stream, which is how the engine takes a peer. `id` is the remote peer id in hex. */
export class Channel extends Duplex {
  readonly id: string
  readonly connected = true
  /** Told of each buffer that was handed over and is needed no more. */
  taken: (bytes: Uint8Array) => void = () => {}
  /** Ended because nothing could be sent any more: the peer is probably still there. */
  stalled = false
  readonly #channel: ChannelPort
  readonly #connection: ConnectionPort
  /** Bytes of one message at most. */
  readonly #most: number
  #stallTimer: NodeJS.Timeout | undefined
  #waiting: ((error?: Error | null) => void) | null = null

  constructor(id: string, channel: ChannelPort, connection: ConnectionPort) {
    super({ allowHalfOpen: false, highWaterMark: messageBytes * 4, emitClose: true })
    this.id = id
    this.#channel = channel
    this.#connection = connection
    this.#most = mostOf(channel.maxMessageSize())
    channel.setBufferedAmountLowThreshold(low)
    channel.onBufferedAmountLow(() => this.#continue())
    channel.onMessage((message) => {
      if (this.destroyed) return
      // A sender cannot be slowed down: whoever is not listened to yet, or sends faster than that, is left.
      if (typeof message === 'string' || this.readableLength > maxUnread) this.destroy()
      else this.push(message instanceof ArrayBuffer ? new Uint8Array(message) : message)
    })
    channel.onClosed(() => this.destroy())
    channel.onError(() => this.destroy())
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send([chunk], done)
    this.taken(chunk)
  }

  /** Small writes that came while the channel was full leave as one, blocks as they are. */
  override _writev(chunks: { chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    const messages: Uint8Array[] = []
    let small: Uint8Array[] = []
    for (const { chunk } of chunks) {
      if (chunk.length < blockMessageBytes) small.push(chunk)
      else {
        if (small.length > 0) messages.push(Buffer.concat(small))
        small = []
        messages.push(chunk)
      }
    }
    if (small.length > 0) messages.push(Buffer.concat(small))
    this.#send(messages, done)
    for (const { chunk } of chunks) this.taken(chunk)
  }

  override _final(done: (error?: Error | null) => void): void {
    done()
    this.destroy()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#waiting = null
    this.#stopWatching()
    try {
      this.#channel.close()
      this.#connection.close()
    } catch {
      // Closed by the other side already.
    }
    done(error)
  }

  #send(writes: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    try {
      for (const bytes of writes) {
        for (let from = 0; from < bytes.length; from += this.#most) {
          this.#channel.sendMessageBinary(bytes.subarray(from, from + this.#most))
        }
      }
      const buffered = this.#channel.bufferedAmount()
      if (buffered > 0) this.#watch()
      if (buffered > high) this.#waiting = done
      else done()
    } catch (error) {
      done(error as Error)
    }
  }

  /** Whether someone waits to write says nothing: a peer that gets no bytes soon asks for none. */
  #watch(): void {
    if (this.#stallTimer !== undefined) return
    let sent = this.#connection.bytesSent()
    let silence = 0
    this.#stallTimer = setInterval(() => {
      if (this.#channel.bufferedAmount() === 0) return this.#stopWatching()
      const now = this.#connection.bytesSent()
      silence = now === sent ? silence + checkEvery : 0
      sent = now
      if (silence < stallAfter) return
      this.stalled = true
      this.destroy()
    }, checkEvery)
    this.#stallTimer.unref()
  }

  #stopWatching(): void {
    clearInterval(this.#stallTimer)
    this.#stallTimer = undefined
  }

  #continue(): void {
    const done = this.#waiting
    this.#waiting = null
    done?.()
  }
}

/** As many whole blocks as the peer takes in one message; all it takes when that is less than one. */
function mostOf(accepted: number): number {
  if (accepted <= 0) return messageBytes
  return accepted - (accepted >= blockMessageBytes ? accepted % blockMessageBytes : 0)
}
