import type { NodeId } from '../identity/index.ts'

/** A heartbeat signed further from the reader's clock than this, in milliseconds, speaks of a wrong clock. */
const farOff = 240_000
/** Milliseconds for which a heartbeat says how a member's clock stands: four are sent in that time. */
const freshFor = 60_000
/** In an open network anybody is a member. */
const mostMembers = 10_000

interface Said {
  /** By the member's own clock. */
  ts: number
  /** How much further ahead than this node's wall clock it was signed, in milliseconds; negative for behind. */
  ahead: number
  /** When it came, by a clock that nobody sets. */
  at: number
  /** One far behind may have lain about, or be replayed: it says nothing of a clock until a newer one follows it. */
  counts: boolean
}

/**
 * How far the other members' clocks lie from this node's, by the heartbeats that came in the last minute, those included
 * that were refused for their time.
 */
export class Clocks {
  readonly #said = new Map<NodeId, Said>()

  /** Takes a heartbeat of another member that arrives at `wall`, and at `at` by a clock that nobody sets. */
  hear(id: NodeId, ts: number, wall: number, at: number): void {
    const known = this.#said.get(id)
    const before = known !== undefined && at - known.at <= freshFor ? known : undefined
    if (before !== undefined && ts <= before.ts) return
    if (known === undefined && this.#said.size >= mostMembers) this.#said.clear()
    const ahead = ts - wall
    this.#said.set(id, { ts, ahead, at, counts: before !== undefined || ahead >= -farOff })
  }

  forget(id: NodeId): void {
    this.#said.delete(id)
  }

  /** How many members' clocks are known at `at`, and how many of them lie more than 4 minutes from this node's. */
  compare(at: number): { known: number; far: number } {
    let [known, far] = [0, 0]
    for (const said of this.#said.values()) {
      if (!said.counts || at - said.at > freshFor) continue
      known++
      if (Math.abs(said.ahead) > farOff) far++
    }
    return { known, far }
  }
}
