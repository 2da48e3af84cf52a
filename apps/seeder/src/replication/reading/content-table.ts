const hashBytes = 20
/** Of a SHA-256; what they find is compared in full by the caller. */
const keyDigits = 12

/** Which items have which content, in 56 bytes an item or less: a network's items may be very many. */
export class ContentTable {
  #keys = new Float64Array(1024)
  #hashes = Buffer.alloc(1024 * hashBytes)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Both in hex. */
  add(sha256: string, infoHash: string): void {
    if (this.find(sha256).includes(infoHash)) return
    if (2 * this.#size >= this.#keys.length) this.#grow()
    this.#insert(keyOf(sha256), Buffer.from(infoHash, 'hex'))
    this.#size++
  }

  /** Infohashes of items that may have that content. */
  find(sha256: string): string[] {
    const key = keyOf(sha256)
    const found: string[] = []
    const last = this.#keys.length - 1
    for (let slot = key % this.#keys.length; this.#keys[slot] !== 0; slot = slot === last ? 0 : slot + 1) {
      if (this.#keys[slot] !== key) continue
      found.push(this.#hashes.toString('hex', slot * hashBytes, (slot + 1) * hashBytes))
    }
    return found
  }

  #insert(key: number, infoHash: Uint8Array): void {
    let slot = key % this.#keys.length
    while (this.#keys[slot] !== 0) slot = slot === this.#keys.length - 1 ? 0 : slot + 1
    this.#keys[slot] = key
    this.#hashes.set(infoHash, slot * hashBytes)
  }

  #grow(): void {
    const [keys, hashes] = [this.#keys, this.#hashes]
    this.#keys = new Float64Array(2 * keys.length)
    this.#hashes = Buffer.alloc(2 * hashes.length)
    for (const [slot, key] of keys.entries()) {
      if (key !== 0) this.#insert(key, hashes.subarray(slot * hashBytes, (slot + 1) * hashBytes))
    }
  }
}

/** Never 0, which marks a free slot. */
function keyOf(sha256: string): number {
  return Number.parseInt(sha256.slice(0, keyDigits), 16) + 1
}
