import type { AuditResult, Holdings, NodeId } from '@eldernode/core'

/** What a manifest says as far as copies are concerned. */
export interface Asked {
  size: number
  min: number
  target: number
  state: 'live' | 'retracted'
}

interface Bodies {
  m: Asked
  h: Holdings
  a: AuditResult
}

/** A signed value of the graph: `key` is an infohash, a bucket, or a holder and a bucket. */
export type Value = {
  [K in keyof Bodies]: { pub: NodeId; kind: K; key: string; ts: number; body: Bodies[K] }
}[keyof Bodies]

interface Shelf {
  values: Map<string, Value>
  /** Over all times: two nodes with the same values of a publisher have the same sum. */
  sum: number
}

const nameOf = ({ kind, key }: Pick<Value, 'kind' | 'key'>): string => kind + key

/** The values that a node keeps over its restarts: of each publisher and key the newest. */
export class Store {
  readonly #shelves = new Map<NodeId, Shelf>()

  /** @returns whether it was newer than what is kept */
  put(value: Value): boolean {
    const shelf = this.#shelf(value.pub)
    const name = nameOf(value)
    const before = shelf.values.get(name)?.ts ?? 0
    if (before >= value.ts) return false
    shelf.values.set(name, value)
    shelf.sum += value.ts - before
    return true
  }

  get(pub: NodeId, kind: Value['kind'], key: string): Value | undefined {
    return this.#shelves.get(pub)?.values.get(kind + key)
  }

  *[Symbol.iterator](): Generator<Value> {
    for (const { values } of this.#shelves.values()) yield* values.values()
  }

  /** What the other does not have, found by sums as between real nodes. */
  missingAt(other: Store): Value[] {
    const missing: Value[] = []
    for (const [pub, { values, sum }] of this.#shelves) {
      const its = other.#shelf(pub)
      if (its.sum === sum) continue
      for (const [name, value] of values) if ((its.values.get(name)?.ts ?? 0) < value.ts) missing.push(value)
    }
    return missing
  }

  #shelf(pub: NodeId): Shelf {
    let shelf = this.#shelves.get(pub)
    if (shelf === undefined) this.#shelves.set(pub, (shelf = { values: new Map(), sum: 0 }))
    return shelf
  }
}
