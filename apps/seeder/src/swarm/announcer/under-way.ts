import type { Announce } from './port.ts'

/** An announce under way, and what is to follow it: one at a time for each infohash, in the order things happened. */
export interface Running {
  readonly infoHash: string
  /** -1 once the torrent was removed. */
  slot: number
  readonly event: Announce['event']
  /** Somebody wants it announced again. */
  again: boolean
  /** The slot of the same infohash when it was removed and added again, or -1. */
  heir: number
  /** Whether the heir goes on as the one that was removed. */
  handedOver: boolean
  /** Never rejects. */
  ended: Promise<void>
}

/** The announces under way to one tracker. They are few, and found by looking at each. */
export class UnderWay {
  readonly #all: Running[] = []

  get size(): number {
    return this.#all.length
  }

  begin(infoHash: string, slot: number, event: Announce['event']): Running {
    const running: Running = {
      infoHash,
      slot,
      event,
      again: false,
      heir: -1,
      handedOver: false,
      ended: Promise.resolve(),
    }
    this.#all.push(running)
    return running
  }

  end(running: Running): void {
    const last = this.#all.pop()
    if (last !== running && last !== undefined) this.#all[this.#all.indexOf(running)] = last
  }

  find(infoHash: string): Running | undefined {
    return this.#all.find((running) => running.infoHash === infoHash)
  }

  /** The one that a slot of that infohash waits for. */
  of(slot: number, infoHash: string): Running | undefined {
    const running = this.find(infoHash)
    return running?.slot === slot || running?.heir === slot ? running : undefined
  }

  [Symbol.iterator](): IterableIterator<Running> {
    return this.#all.values()
  }
}
