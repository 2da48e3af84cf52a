import { hash } from 'node:crypto'
import { InvalidInputError } from '@eldernode/core'
import { SecretPrint, SlotIndex } from './slot-index.ts'

const bytesPerHash = 20
const hex40 = /^[0-9a-f]{40}$/i

/**
 * Infohashes, each with a small number of its own, its slot, under which others keep what they know of it in typed
 * arrays. An infohash takes about 50 bytes here, none of them an object. A slot is given again once its infohash was
 * deleted: who keeps something under it lets go before.
 */
export class InfoHashTable {
  #hashes = Buffer.alloc(64 * bytesPerHash)
  readonly #print = new SecretPrint()
  /** Prints of what an encrypted handshake names a torrent by. */
  #obfuscated = new Uint32Array(64)
  #occupied = new Uint8Array(64)
  readonly #byHash = new SlotIndex((slot) => this.#print.of(this.#hashes, slot * bytesPerHash))
  readonly #byObfuscated = new SlotIndex((slot) => this.#obfuscated[slot] ?? 0)
  readonly #free: number[] = []
  readonly #wanted = Buffer.alloc(bytesPerHash)
  /** `req2` and an infohash. */
  readonly #salted = Buffer.from(`req2${'\0'.repeat(bytesPerHash)}`)
  readonly #obfuscation = Buffer.alloc(bytesPerHash)
  /** Slots ever given: all are below it. */
  #end = 0

  get size(): number {
    return this.#end - this.#free.length
  }

  /** The slot of an infohash of 40 hex digits, the one it has already or a new one. @throws InvalidInputError */
  add(infoHash: string): number {
    const known = this.slotOf(infoHash)
    if (known !== undefined) return known
    if (!hex40.test(infoHash))
      throw new InvalidInputError(`${infoHash.slice(0, 60)} is no infohash: give 40 hex digits`)
    const slot = this.#free.pop() ?? this.#end++
    if (slot >= this.#occupied.length) this.#grow()
    this.#wanted.copy(this.#hashes, slot * bytesPerHash)
    this.#obfuscated[slot] = this.#print.of(this.#obfuscate(slot), 0)
    this.#occupied[slot] = 1
    this.#byHash.insert(slot)
    this.#byObfuscated.insert(slot)
    return slot
  }

  /** Takes 40 hex digits or 20 bytes; anything else has no slot. */
  slotOf(infoHash: string | Uint8Array): number | undefined {
    if (!this.#want(infoHash)) return undefined
    return this.#byHash.find(this.#print.of(this.#wanted, 0), (slot) => this.#holdsWanted(slot))
  }

  /** The slot whose infohash an encrypted handshake names by `sha1('req2' + infohash)` (MSE), in hex or bytes. */
  byObfuscated(obfuscated: string | Uint8Array): number | undefined {
    if (!this.#want(obfuscated)) return undefined
    return this.#byObfuscated.find(this.#print.of(this.#wanted, 0), (slot) =>
      this.#obfuscate(slot).equals(this.#wanted),
    )
  }

  /** 40 hex digits. The slot must be one that was given. */
  infoHashAt(slot: number): string {
    return this.#hashes.toString('hex', slot * bytesPerHash, (slot + 1) * bytesPerHash)
  }

  /** Returns whether it was there. */
  delete(infoHash: string | Uint8Array): boolean {
    const slot = this.slotOf(infoHash)
    if (slot === undefined) return false
    this.#byHash.remove(slot)
    this.#byObfuscated.remove(slot)
    this.#occupied[slot] = 0
    this.#free.push(slot)
    return true
  }

  /** Slots in rising order. Those added meanwhile may be missed. */
  *slots(): Generator<number, void> {
    for (let slot = 0; slot < this.#end; slot++) if (this.#occupied[slot] === 1) yield slot
  }

  #want(given: string | Uint8Array): boolean {
    if (typeof given === 'string') return given.length === 40 && this.#wanted.write(given, 'hex') === bytesPerHash
    if (given.length !== bytesPerHash) return false
    this.#wanted.set(given)
    return true
  }

  #holdsWanted(slot: number): boolean {
    return this.#hashes.compare(this.#wanted, 0, bytesPerHash, slot * bytesPerHash, (slot + 1) * bytesPerHash) === 0
  }

  /** Valid until it is called again. */
  #obfuscate(slot: number): Buffer {
    this.#hashes.copy(this.#salted, 4, slot * bytesPerHash, (slot + 1) * bytesPerHash)
    // A string is made in a third of the time that a buffer takes.
    this.#obfuscation.write(hash('sha1', this.#salted, 'hex'), 'hex')
    return this.#obfuscation
  }

  #grow(): void {
    const length = this.#occupied.length * 2
    const hashes = Buffer.alloc(length * bytesPerHash)
    this.#hashes.copy(hashes)
    this.#hashes = hashes
    this.#obfuscated = widened(this.#obfuscated, new Uint32Array(length))
    this.#occupied = widened(this.#occupied, new Uint8Array(length))
  }
}

function widened<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
