import type { FileHandle } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'

const large = 2 ** 20
const small = 2 ** 16

/** From `start` up to but not including `end`. */
export interface Bytes {
  start: number
  end: number
}

/** Who says how fast bytes may be sent. */
export interface Pace {
  /** The most to send at once. */
  readonly most: number
  /** Resolves when so many bytes may be sent, undefined when they may now. Throws when none may any more. */
  pass(bytes: number): Promise<void> | undefined
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
   * Writes some bytes of a file and ends the response. A file that is shorter than that, a client that
   * takes nothing for too long and one that left all end with a closed connection, so nobody takes a part for the whole.
   */
  async send(file: FileHandle, response: ServerResponse, { start, end }: Bytes, pace?: Pace): Promise<void> {
    const length = end - start
    const buffer = length > small ? this.#take() : undefined
    const room = buffer ?? Buffer.allocUnsafe(Math.min(length, small))
    let returned = false
    try {
      for (let at = start; at < end;) {
        const { bytesRead } = await file.read(room, 0, Math.min(room.length, end - at, pace?.most ?? Infinity), at)
        if (bytesRead === 0) throw new Error(`the file ends ${end - at} bytes early`)
        await pace?.pass(bytesRead)
        await this.#write(response, room.subarray(0, bytesRead))
        at += bytesRead
      }
      returned = true
      response.end()
    } catch (error) {
      response.destroy()
      throw error
    } finally {
      // After a failed write the kernel may still read from the buffer, so it is not shared any more.
      if (buffer !== undefined) this.#giveBack(returned ? buffer : undefined)
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
