import { seededBytes, sha256, type Media, type Seeder } from '../../harness/index.ts'

export interface Piece {
  media: Media
  /** Of the bytes that were sent. */
  sha256: string
}

/** Every item that a node answered 2xx for, and what reading them back gave. */
export class Cargo {
  readonly #pieces = new Map<string, Piece>()
  /** Answers of 200 with other bytes than were published. */
  readonly wrong: string[] = []
  #next = 1

  get size(): number {
    return this.#pieces.size
  }

  get pieces(): readonly Piece[] {
    return [...this.#pieces.values()]
  }

  /** Publishes one new item. A node that cannot take it now acknowledges nothing, and nothing is owed. */
  async publish(seeder: Seeder, size: number): Promise<Piece | undefined> {
    const number = this.#next++
    const bytes = seededBytes(number, size)
    try {
      const media = await withinSeconds(20, seeder.publish(`${number}.bin`, bytes))
      const piece = { media, sha256: sha256(bytes) }
      this.#pieces.set(media.id, piece)
      return piece
    } catch {
      return undefined
    }
  }

  /** @returns whether the node served the very bytes; one that refuses or is away is no lie, wrong bytes are noted */
  async read(seeder: Seeder, { media, sha256: expected }: Piece): Promise<boolean> {
    try {
      const response = await fetch(`${seeder.url}/v1/media/${media.id}/content`, {
        signal: AbortSignal.timeout(20_000),
      })
      const bytes = new Uint8Array(await response.arrayBuffer())
      if (response.status !== 200) return false
      if (sha256(bytes) === expected) return true
      this.wrong.push(`${seeder.name} served ${bytes.length} wrong bytes of ${media.id}`)
    } catch {
      // It was killed, stopped, cut off, or ended the answer because it found its bytes wrong.
    }
    return false
  }
}

/** Rejects when it takes longer: a node that was stopped never answers. */
export async function withinSeconds<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${seconds} s`)), seconds * 1000)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
