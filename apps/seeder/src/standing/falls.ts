import type { Change } from './repair-times.ts'

type Low = 'lost' | 'below-min'

interface Amount {
  items: number
  bytes: number
}

/** Milliseconds; a fall that is not known was long ago. */
interface Fall {
  size: number
  level: Low
  /** Since when the item is lost or below its minimum. */
  lowAt: number
  /** Since when it stands as it does. */
  at: number
}

const isLow = (level: Change['before']): level is Low => level === 'lost' || level === 'below-min'

/** Items that stand so low since a moment only: just published, or about to have another copy. Others are not kept. */
export class Falls {
  readonly #patienceMs: number
  readonly #now: () => number
  /** In the order of their last change. */
  readonly #falls = new Map<string, Fall>()

  constructor(patienceMs: number, now: () => number) {
    this.#patienceMs = patienceMs
    this.#now = now
  }

  see({ infoHash, size, before, after, at }: Change & { size: number }): void {
    const known = this.#falls.get(infoHash)
    this.#falls.delete(infoHash)
    if (isLow(after)) {
      const lowAt = known?.lowAt ?? (isLow(before) ? -Infinity : at)
      this.#falls.set(infoHash, { size, level: after, lowAt, at })
    }
    for (const [other, fall] of this.#falls) {
      if (this.#isRecent(fall.at)) break
      this.#falls.delete(other)
    }
  }

  /** Of what stands low by `levels`, what does so for long enough. What was lost but now is below its minimum for longer. */
  lasting(levels: Readonly<Record<Low, Amount>>): Record<Low, Amount> {
    const [lost, belowMin] = [{ ...levels.lost }, { ...levels['below-min'] }]
    for (const { size, level, lowAt, at } of this.#falls.values()) {
      if (level === 'lost' && this.#isRecent(at)) {
        add(lost, -1, size)
        if (!this.#isRecent(lowAt)) add(belowMin, 1, size)
      } else if (level === 'below-min' && this.#isRecent(lowAt)) add(belowMin, -1, size)
    }
    return { lost, 'below-min': belowMin }
  }

  #isRecent(at: number): boolean {
    return this.#now() - at < this.#patienceMs
  }
}

function add(amount: Amount, sign: 1 | -1, size: number): void {
  amount.items += sign
  amount.bytes = Math.max(0, amount.bytes + sign * size)
}
