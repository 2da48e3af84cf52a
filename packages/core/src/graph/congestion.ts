import type { Link } from './link.ts'

/** Publishing waits, a little, while a member's link has this much to send. */
const paceBytes = 1 << 20
const paceTime = 100
const pacePoll = 5

/** Whether members' links have more to send than they take. */
export class Congestion {
  readonly #links: () => Iterable<Link>
  #pacing: Promise<void> | undefined

  constructor(links: () => Iterable<Link>) {
    this.#links = links
  }

  /** Waits while they have, for a tenth of a second at most: one slow link must not stop a node. */
  async pace(): Promise<void> {
    if (this.#congested()) await (this.#pacing ??= this.#relief())
  }

  #congested(): boolean {
    for (const link of this.#links()) if (link.member && !link.behind && link.queued > paceBytes) return true
    return false
  }

  async #relief(): Promise<void> {
    for (let waited = 0; waited < paceTime && this.#congested(); waited += pacePoll) {
      await new Promise((resolve) => setTimeout(resolve, pacePoll))
    }
    this.#pacing = undefined
  }
}
