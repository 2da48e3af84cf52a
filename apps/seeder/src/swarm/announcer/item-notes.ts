/** What is known of an announced item: bits of `ItemNotes`. */
export const note = {
  /** It is announced here. */
  member: 1,
  /** The tracker may know of it. */
  sent: 2,
  /** The tracker answered that it knows of it. */
  known: 4,
  /** The tracker is to be told that it is whole now. */
  completed: 8,
  /** Somebody waits for its next announce. */
  urgent: 16,
} as const

/** The bits above those: how often in a row an announce was refused or failed. */
const [failureShift, mostFailures] = [5, 7]

/** Five bytes about each announced item: a byte of bits, and the second in which the tracker last answered. */
export class ItemNotes {
  #bits = new Uint8Array(64)
  #answered = new Uint32Array(64)

  has(slot: number, bit: number): boolean {
    return ((this.#bits[slot] ?? 0) & bit) !== 0
  }

  set(slot: number, bits: number): void {
    if (slot >= this.#bits.length) this.#grow(slot)
    this.#bits[slot] = (this.#bits[slot] ?? 0) | bits
  }

  unset(slot: number, bits: number): void {
    this.#bits[slot] = (this.#bits[slot] ?? 0) & ~bits
  }

  /** Those of `bits` that are set. */
  of(slot: number, bits: number): number {
    return (this.#bits[slot] ?? 0) & bits
  }

  clear(slot: number): void {
    this.#bits[slot] = 0
    this.#answered[slot] = 0
  }

  /** Unsets bits of all items. Returns the slots of those that have `keep`. */
  unsetAll(bits: number, keep: number): number[] {
    const kept: number[] = []
    for (let slot = 0; slot < this.#bits.length; slot++) {
      this.unset(slot, bits)
      if (this.has(slot, keep)) kept.push(slot)
    }
    return kept
  }

  /** The second in which the tracker last answered about an item; 0 when it never did. */
  answeredAt(slot: number): number {
    return this.#answered[slot] ?? 0
  }

  answered(slot: number, second: number): void {
    this.#answered[slot] = second
    this.unset(slot, mostFailures << failureShift)
  }

  /** Counts a failure, up to 7. Returns how many there were in a row. */
  failed(slot: number): number {
    const failures = Math.min(((this.#bits[slot] ?? 0) >> failureShift) + 1, mostFailures)
    this.unset(slot, mostFailures << failureShift)
    this.set(slot, failures << failureShift)
    return failures
  }

  #grow(slot: number): void {
    const length = Math.max(this.#bits.length * 2, slot + 1)
    const [bits, answered] = [new Uint8Array(length), new Uint32Array(length)]
    bits.set(this.#bits)
    answered.set(this.#answered)
    this.#bits = bits
    this.#answered = answered
  }
}
