import { HashSlots, type NodeId } from '@eldernode/core'

const infoHashForm = /^[0-9a-f]{40}$/

/**
 * Who signed a manifest of which item, retracted ones included, at about 35 bytes an item: so that what is said of an
 * item is looked up with those alone, and not with each member of a large network.
 */
export class Signers {
  readonly #slots = new HashSlots()
  readonly #nodes: NodeId[] = []
  readonly #numbers = new Map<NodeId, number>()
  /** Of most items there is one. */
  readonly #others = new Map<string, Set<NodeId>>()
  #first = new Uint32Array(0)

  add(infoHash: string, signer: NodeId): void {
    if (!infoHashForm.test(infoHash)) return
    const known = this.#slots.find(infoHash)
    if (known !== undefined) {
      if (this.#nodes[this.#first[known]!] === signer) return
      const others = this.#others.get(infoHash)
      if (others === undefined) this.#others.set(infoHash, new Set([signer]))
      else others.add(signer)
      return
    }
    const slot = this.#slots.add(infoHash)
    if (slot >= this.#first.length) {
      const grown = new Uint32Array(this.#slots.room)
      grown.set(this.#first)
      this.#first = grown
    }
    this.#first[slot] = this.#numberOf(signer)
  }

  of(infoHash: string): readonly NodeId[] {
    const slot = infoHashForm.test(infoHash) ? this.#slots.find(infoHash) : undefined
    return slot === undefined ? [] : [this.#nodes[this.#first[slot]!]!, ...(this.#others.get(infoHash) ?? [])]
  }

  #numberOf(signer: NodeId): number {
    const known = this.#numbers.get(signer)
    if (known !== undefined) return known
    this.#numbers.set(signer, this.#nodes.length)
    return this.#nodes.push(signer) - 1
  }
}
