import { seededBytes, sha256, until, type Media, type Seeder } from '../harness/index.ts'

/** Every item that a node answered 2xx for, with the SHA-256 of the bytes that were sent. */
export class Ledger {
  readonly #acknowledged = new Map<string, { media: Media; sha256: string; by: Seeder }>()
  #next = 1

  get size(): number {
    return this.#acknowledged.size
  }

  /** Uploads one new item. @returns whether it was acknowledged; a node that dies meanwhile is no error */
  async upload(seeder: Seeder, size: number): Promise<boolean> {
    const number = this.#next++
    const bytes = seededBytes(number, size)
    let media: Media
    try {
      media = await seeder.publish(`${number}.bin`, bytes)
    } catch (error) {
      if (seeder.isRunning) throw error
      return false
    }
    this.#acknowledged.set(media.id, { media, sha256: sha256(bytes), by: seeder })
    return true
  }

  /** What a node promised by itself: items it acknowledged, and items it lists. @throws Error naming the broken one */
  async audit(seeder: Seeder): Promise<void> {
    const own = [...this.#acknowledged].flatMap(([id, { by }]) => (by === seeder ? [id] : []))
    let listed = new Map<string, Media>()
    // What came shortly before a kill is hashed again before it counts.
    await until(
      async () => {
        listed = await seeder.items()
        return own.every((id) => listed.has(id))
      },
      { within: 20_000, every: 100, what: `${seeder.name} lists all that it acknowledged` },
    )
    for (const [id, media] of listed) {
      const expected = this.#acknowledged.get(id)?.sha256 ?? media.sha256
      const content = await seeder.content(id)
      if (content.status !== 200 || content.sha256 !== expected) {
        throw new Error(`${seeder.name} lists ${id} and answers ${content.status} with wrong bytes`)
      }
    }
  }

  /** The items that a node does not hold yet. */
  async missing(seeder: Seeder): Promise<string[]> {
    const listed = await seeder.items()
    return [...this.#acknowledged.keys()].filter((id) => !listed.has(id))
  }
}
