import type { RunningHash } from '../ingest/index.ts'

/** So many uploads are hashed while they come; others are read again when they are whole. */
const most = 1000
/** Smaller ones are hashed in no time. */
const leastBytes = 1024 * 1024

/** The hashes of uploads under way. They do not outlive the process, nor bytes that were lost. */
export class Hashes {
  readonly #follow: (size: number) => RunningHash
  readonly #hashes = new Map<string, RunningHash>()

  constructor(follow: (size: number) => RunningHash) {
    this.#follow = follow
  }

  /** Passes on the bytes of an upload from `offset` on, and hashes them, if those before were. */
  during(id: string, size: number | undefined, offset: number, source: AsyncIterable<Uint8Array>) {
    const hash = this.#at(id, offset) ?? this.#begin(id, size, offset)
    return hash === undefined ? source : this.#hashing(id, hash, source)
  }

  /** @returns the hash of an upload of that size, if it is whole; whoever takes it ends it */
  take(id: string, size: number): RunningHash | undefined {
    const hash = this.#at(id, size)
    this.#hashes.delete(id)
    return hash
  }

  drop(id: string): void {
    this.#hashes.get(id)?.drop()
    this.#hashes.delete(id)
  }

  close(): void {
    for (const id of this.#hashes.keys()) this.drop(id)
  }

  /** Bytes that were hashed and then lost make it worth nothing. */
  #at(id: string, offset: number): RunningHash | undefined {
    const hash = this.#hashes.get(id)
    if (hash?.position === offset) return hash
    this.drop(id)
    return undefined
  }

  #begin(id: string, size: number | undefined, offset: number): RunningHash | undefined {
    if (offset !== 0 || size === undefined || size < leastBytes || this.#hashes.size >= most) return undefined
    const hash = this.#follow(size)
    this.#hashes.set(id, hash)
    return hash
  }

  async *#hashing(id: string, hash: RunningHash, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      try {
        if (this.#hashes.get(id) === hash) await hash.update(chunk)
      } catch {
        // A thread ended: the bytes are hashed from the disk.
        this.drop(id)
      }
      yield chunk
    }
  }
}
