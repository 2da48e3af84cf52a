import type { ServerResponse } from 'node:http'

const large = 2 ** 20
const small = 2 ** 16

/** From `start` up to but not including `end`. */
export interface Bytes {
  start: number
  end: number
}

/** Where bytes of a file come from: a file, or one that is still arriving, or is decrypted as it is read. */
export interface ByteSource {
  /** What a cache says of where these bytes came from (RFC 9211). */
  readonly cacheStatus?: string
  /** Reads up to `length` bytes from `position` on into `target`. @returns how many; 0 where the file ends */
  read(target: Buffer, length: number, position: number): Promise<number>
  close(): Promise<void>
}

/** A stretch of a file in an answer. */
export interface Part extends Bytes {
  /** What an answer of several parts says ahead of it. */
  head?: string
}

/** Who says how fast bytes may be sent. */
export interface Pace {
  /** The most to send at once. */
  readonly most: number
  /** Resolves when so many bytes may be sent, undefined when they may now. Throws when none may any more. */
  pass(bytes: number): Promise<void> | undefined
}

export interface SendOptions {
  pace?: Pace | undefined
  /** What an answer of several parts ends with. */
  tail?: string | undefined
}

/**
 * Sends stretches of files with few large reads, which is several times faster than piping a stream. Buffers of 1 MiB
 * are shared by all responses and bounded in number; a response that finds none free reads 64 KiB at a time.
 */
export class FileSender {
  readonly #free: Buffer[] = []
  readonly #stallMs: number
  readonly #most: number
  #made = 0

  constructor({ stallMs, buffers = 64 }: { stallMs: number; buffers?: number }) {
    this.#stallMs = stallMs
    this.#most = buffers
  }

  /**
   * Writes parts of a file, and `tail`, and ends the response. A file that is shorter than that, a client that takes
   * nothing for too long and one that left all end with a closed connection, so nobody takes a part for the whole.
   */
  async send(
    source: ByteSource,
    response: ServerResponse,
    parts: readonly Part[],
    options: SendOptions,
  ): Promise<void> {
    const longest = parts.reduce((most, { start, end }) => Math.max(most, end - start), 0)
    const buffer = longest > small ? this.#take() : undefined
    const room = buffer ?? Buffer.allocUnsafe(Math.min(longest, small))
    let returned = false
    try {
      for (const part of parts) {
        if (part.head !== undefined) response.write(part.head, 'latin1')
        await this.#sendPart(source, response, part, room, options.pace)
      }
      returned = true
      response.end(options.tail ?? '', 'latin1')
    } catch (error) {
      response.destroy()
      throw error
    } finally {
      // After a failed write the kernel may still read from the buffer, so it is not shared any more.
      if (buffer !== undefined) this.#giveBack(returned ? buffer : undefined)
    }
  }

  async #sendPart(
    source: ByteSource,
    response: ServerResponse,
    { start, end }: Bytes,
    room: Buffer,
    pace: Pace | undefined,
  ): Promise<void> {
    for (let at = start; at < end;) {
      const length = Math.min(room.length, end - at, pace?.most ?? Infinity)
      const bytesRead = await source.read(room, length, at)
      if (bytesRead === 0) throw new Error(`the file ends ${end - at} bytes early`)
      await pace?.pass(bytesRead)
      await this.#write(response, room.subarray(0, bytesRead))
      at += bytesRead
    }
  }

  async #write(response: ServerResponse, bytes: Buffer): Promise<void> {
    let taken = false
    const giveUp = () => setImmediate(() => taken || response.destroy())
    // Taken a little at a time, a megabyte may take longer than a stall; not much longer, or buffers are held for good.
    const tooSlow = setTimeout(giveUp, this.#stallMs * Math.ceil(bytes.length / small))
    response.once('timeout', giveUp)
    response.setTimeout(this.#stallMs)
    try {
      await new Promise<void>((resolve, reject) => {
        const gone = () => reject(new ClientGoneError())
        if (response.destroyed) return gone()
        response.once('close', gone)
        response.write(bytes, (error) => {
          response.off('close', gone)
          if (error) reject(new ClientGoneError({ cause: error }))
          else resolve()
        })
      })
    } finally {
      taken = true
      clearTimeout(tooSlow)
      response.off('timeout', giveUp)
      response.setTimeout(0)
    }
  }

  #take(): Buffer | undefined {
    const buffer = this.#free.pop()
    if (buffer !== undefined || this.#made >= this.#most) return buffer
    this.#made++
    return Buffer.allocUnsafeSlow(large)
  }

  #giveBack(buffer: Buffer | undefined): void {
    if (buffer === undefined) this.#made--
    else this.#free.push(buffer)
  }
}

/** The client took no more of the answer: an everyday event, not a fault. */
export class ClientGoneError extends Error {
  constructor(options?: ErrorOptions) {
    super('the client left before the end of the answer', options)
    this.name = 'ClientGoneError'
  }
}
