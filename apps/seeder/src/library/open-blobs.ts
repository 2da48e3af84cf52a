import { fstatSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { type Print, printFrom } from './blobs.ts'
import type { OpenBlob } from './storage-port.ts'

/** A blob read lately is likely to be read again; opening, comparing and closing it costs as much as sending a megabyte. */
const idleMs = 2_000
const mostIdle = 64

interface Entry {
  handle: Promise<FileHandle>
  fd: number | undefined
  users: number
  idleSince: number
}

/** Blobs that are being read, each opened once, and those that were a moment ago. */
export class OpenBlobs {
  readonly #path: (sha256: string) => string
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>()
  #timer: NodeJS.Timeout | undefined

  constructor(path: (sha256: string) => string) {
    this.#path = path
  }

  /**
   * How an open blob looks now, asking no disk. One that was renamed or written since has other times.
   * @returns `undefined` when it is not open, or no longer in any folder
   */
  print(sha256: string): Print | undefined {
    const fd = this.#entries.get(sha256)?.fd
    if (fd === undefined) return undefined
    const stats = fstatSync(fd, { bigint: true })
    return stats.nlink > 0n ? printFrom(stats) : undefined
  }

  /** @throws the file system's error */
  async open(sha256: string): Promise<OpenBlob> {
    const known = this.#entries.get(sha256)
    const isGood = known !== undefined && (known.fd === undefined || this.print(sha256) !== undefined)
    const entry = isGood ? known : this.#begin(sha256)
    entry.users++
    try {
      const handle = await entry.handle
      let used = true
      return {
        read: async (target, length, position) => (await handle.read(target, 0, length, position)).bytesRead,
        close: async () => {
          if (used) await this.#leave(sha256, entry)
          used = false
        },
      }
    } catch (error) {
      if (this.#entries.get(sha256) === entry) this.#entries.delete(sha256)
      throw error
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    await Promise.all(entries.map((entry) => end(entry)))
  }

  #begin(sha256: string): Entry {
    const before = this.#entries.get(sha256)
    const handle = open(this.#path(sha256), 'r')
    const entry: Entry = { handle, fd: undefined, users: 0, idleSince: 0 }
    handle.then(
      ({ fd }) => (entry.fd = fd),
      () => undefined,
    )
    this.#entries.set(sha256, entry)
    if (before?.users === 0) void end(before)
    return entry
  }

  async #leave(sha256: string, entry: Entry): Promise<void> {
    entry.users--
    if (entry.users > 0) return
    if (this.#entries.get(sha256) !== entry) return await end(entry)
    this.#entries.delete(sha256)
    this.#entries.set(sha256, entry)
    entry.idleSince = performance.now()
    this.#timer ??= setTimeout(() => void this.#sweep(), idleMs).unref()
    if (this.#entries.size > mostIdle) await this.#sweep(mostIdle)
  }

  /** Closes what nobody has used for a while, and what is more than so many. */
  async #sweep(most = Infinity): Promise<void> {
    const now = performance.now()
    const ended: Entry[] = []
    let next = Infinity
    for (const [sha256, entry] of this.#entries) {
      if (entry.users > 0) continue
      if (this.#entries.size <= most && entry.idleSince + idleMs > now) {
        next = Math.min(next, entry.idleSince)
        continue
      }
      this.#entries.delete(sha256)
      ended.push(entry)
    }
    clearTimeout(this.#timer)
    this.#timer = next === Infinity ? undefined : setTimeout(() => void this.#sweep(), next + idleMs - now).unref()
    await Promise.all(ended.map((entry) => end(entry)))
  }
}

async function end({ handle }: Entry): Promise<void> {
  const opened = await handle.catch(() => undefined)
  await opened?.close()
}
