import type { NodeId } from '@eldernode/core'

/** What one signer says of an item. */
export interface Claim {
  signer: NodeId
  /** Milliseconds since 1970 until when it stands, `forGood` or `retracted`. */
  until: number
}

export const forGood = 0
export const retracted = -1

const toldLive = 1
const toldDenied = 2
/** Whether a denial was heard of, and whether it stands. */
const denialHeard = 4
const isDenied = 8
/** The one claim is retracted. */
const isRetracted = 16
/** Its claims lie in `#several`. */
const hasSeveral = 32
const signerShift = 6
const flags = (1 << signerShift) - 1

/**
 * What is known of items, by the million: one small number for each. Nearly all have one signer whose word stands for good,
 * which the number says; claims that are otherwise lie beside it.
 */
export class Items {
  readonly #most: number
  readonly #items = new Map<string, number>()
  readonly #several = new Map<string, Claim[]>()
  /** Signers have numbers from 1. */
  readonly #signers: NodeId[] = ['']
  readonly #numbers = new Map<NodeId, number>()
  #live = 0
  #denied = 0
  #leftOut = 0

  constructor(most: number) {
    this.#most = most
  }

  get live(): number {
    return this.#live
  }

  get denied(): number {
    return this.#denied
  }

  get leftOut(): number {
    return this.#leftOut
  }

  has(infoHash: string): boolean {
    return this.#items.has(infoHash)
  }

  keys(): Iterable<string> {
    return this.#items.keys()
  }

  /** Items that several signers published, or that end. */
  ofSeveral(): Iterable<string> {
    return this.#several.keys()
  }

  claims(infoHash: string): readonly Claim[] {
    const item = this.#items.get(infoHash) ?? 0
    if ((item & hasSeveral) !== 0) return this.#several.get(infoHash) ?? []
    const signer = this.#signers[item >>> signerShift]
    if (signer === undefined || signer === '') return []
    return [{ signer, until: (item & isRetracted) === 0 ? forGood : retracted }]
  }

  hasClaim(infoHash: string, by: NodeId): boolean {
    return this.claims(infoHash).some(({ signer }) => signer === by)
  }

  /** Takes a signer's word, the newest. @returns false when there are too many items */
  claim(infoHash: string, signer: NodeId, until: number): boolean {
    const item = this.#open(infoHash)
    if (item === undefined) return false
    const others = this.claims(infoHash).filter((claim) => claim.signer !== signer)
    if (others.length === 0 && until <= 0) {
      const retraction = until === retracted ? isRetracted : 0
      const rest = item & flags & ~isRetracted & ~hasSeveral
      this.#items.set(infoHash, rest | retraction | (this.#numberOf(signer) << signerShift))
      this.#several.delete(infoHash)
    } else {
      this.#items.set(infoHash, (item & flags & ~isRetracted) | hasSeveral)
      this.#several.set(infoHash, [...others, { signer, until }])
    }
    return true
  }

  /** What the owner said of it last; `undefined` for nothing. */
  denial(infoHash: string): boolean | undefined {
    const item = this.#items.get(infoHash) ?? 0
    return (item & denialHeard) === 0 ? undefined : (item & isDenied) !== 0
  }

  deny(infoHash: string, denied: boolean): void {
    const item = this.#open(infoHash)
    if (item === undefined) return
    this.#items.set(infoHash, (item & ~isDenied) | denialHeard | (denied ? isDenied : 0))
  }

  isToldLive(infoHash: string): boolean {
    return ((this.#items.get(infoHash) ?? 0) & toldLive) !== 0
  }

  isToldDenied(infoHash: string): boolean {
    return ((this.#items.get(infoHash) ?? 0) & toldDenied) !== 0
  }

  /** Remembers what others were told. */
  told(infoHash: string, live: boolean, denied: boolean): void {
    const item = this.#open(infoHash)
    if (item === undefined) return
    this.#live += Number(live) - Number((item & toldLive) !== 0)
    this.#denied += Number(denied) - Number((item & toldDenied) !== 0)
    const rest = item & ~toldLive & ~toldDenied
    this.#items.set(infoHash, rest | (live ? toldLive : 0) | (denied ? toldDenied : 0))
  }

  toldLive(): string[] {
    return [...this.#told(toldLive)]
  }

  toldDenied(): string[] {
    return [...this.#told(toldDenied)]
  }

  delete(infoHash: string): void {
    this.told(infoHash, false, false)
    this.#items.delete(infoHash)
    this.#several.delete(infoHash)
  }

  *#told(flag: number): Iterable<string> {
    for (const [infoHash, item] of this.#items) if ((item & flag) !== 0) yield infoHash
  }

  #open(infoHash: string): number | undefined {
    const item = this.#items.get(infoHash)
    if (item !== undefined) return item
    if (this.#items.size >= this.#most) {
      this.#leftOut++
      return undefined
    }
    this.#items.set(infoHash, 0)
    return 0
  }

  #numberOf(signer: NodeId): number {
    const known = this.#numbers.get(signer)
    if (known !== undefined) return known
    const number = this.#signers.push(signer) - 1
    this.#numbers.set(signer, number)
    return number
  }
}
