import { OwnHoldings, Pace, type Holdings, type HoldingState } from '@eldernode/core'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

/** What a node says that it holds, published at core's pace. */
export class Notice {
  readonly #world: World
  readonly #machine: Machine
  readonly #publish: (bucket: string, body: Holdings) => boolean
  readonly #told: (infoHash: string) => void
  readonly #own = new OwnHoldings()
  readonly #pace = new Pace()
  #publishingAt = Infinity

  /** @param told called for each mark that was published */
  constructor(
    world: World,
    machine: Machine,
    publish: (bucket: string, body: Holdings) => boolean,
    told: (infoHash: string) => void,
  ) {
    this.#world = world
    this.#machine = machine
    this.#publish = publish
    this.#told = told
  }

  /** What an earlier run said may be true no more. */
  start(): void {
    for (const infoHash of this.#machine.disk.keys()) this.#own.set(infoHash, 'held')
    const said = [...this.#machine.store].filter(({ pub, kind }) => pub === this.#machine.id && kind === 'h')
    for (const bucket of [...this.#own.buckets(), ...said.map(({ key }) => key)]) this.#changed(bucket)
  }

  get(infoHash: string): HoldingState | undefined {
    return this.#own.get(infoHash)
  }

  say(infoHash: string, state: 'held' | 'releasing' | undefined): void {
    const bucket = this.#own.set(infoHash, state)
    if (bucket !== undefined) this.#changed(bucket)
  }

  #changed(bucket: string): void {
    this.#pace.changed(bucket, this.#world.now)
    this.#plan()
  }

  #plan(): void {
    const next = this.#pace.nextAt()
    if (next === undefined || next >= this.#publishingAt) return
    this.#publishingAt = next
    this.#world.later(Math.max(1, next - this.#world.now), this.#machine, () => this.#publishDue())
  }

  #publishDue(): void {
    this.#publishingAt = Infinity
    const bucket = this.#pace.take(this.#world.now)
    if (bucket !== undefined) {
      const body = this.#own.bucket(bucket)
      if (this.#publish(bucket, body)) for (const infoHash of body.releasing) this.#told(infoHash)
      else this.#pace.changed(bucket, this.#world.now)
      this.#pace.published(400 + 43 * (body.held.length + body.releasing.length), this.#world.now)
    }
    this.#plan()
  }
}
