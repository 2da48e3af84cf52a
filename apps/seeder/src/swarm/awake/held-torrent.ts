import { hash } from 'node:crypto'
import { decode, rawEntries } from '../metainfo/bencode.ts'
import { BadMetainfoError } from '../errors.ts'
import type { WholeTorrent } from '../port.ts'

/** Bytes of a SHA-1. */
const hashBytes = 20

/**
 * What is read of the metainfo of a torrent that lies whole on disk: as little as peers can be served with, for this is
 * done while one of them waits, and again and again. Names and sizes of the files are not looked at: they are known.
 */
export class HeldTorrent {
  readonly infoHash: string
  /** The info dictionary as peers ask for it (BEP 9). */
  readonly info: Uint8Array
  readonly size: number
  readonly pieceLength: number
  readonly private: boolean
  /** SHA-1 of each piece, one after the other. */
  readonly #hashes: Uint8Array

  /** @throws BadMetainfoError, InvalidInputError when the metainfo on disk is not what it was */
  constructor({ infoHash, metainfo, files }: WholeTorrent) {
    const info = rawEntries(metainfo).get('info')
    if (info === undefined || hash('sha1', info) !== infoHash) throw new BadMetainfoError('its infohash differs')
    const entries = rawEntries(info)
    const [pieceLength, hashes] = ['piece length', 'pieces'].map((key) => decode(entries.get(key) ?? new Uint8Array()))
    this.infoHash = infoHash
    this.info = info
    this.size = files.reduce((sum, { size }) => sum + size, 0)
    if (typeof pieceLength !== 'number' || !(hashes instanceof Uint8Array)) {
      throw new BadMetainfoError('it has no pieces')
    }
    this.pieceLength = pieceLength
    this.#hashes = hashes
    if (hashes.length !== Math.ceil(this.size / pieceLength) * hashBytes) {
      throw new BadMetainfoError('the number of piece hashes does not fit the files')
    }
    const marked = entries.get('private')
    this.private = marked !== undefined && decode(marked) !== 0
  }

  get pieces(): number {
    return this.#hashes.length / hashBytes
  }

  /** The SHA-1 that a piece must have, 20 bytes. */
  hashOf(piece: number): Uint8Array {
    return this.#hashes.subarray(piece * hashBytes, (piece + 1) * hashBytes)
  }
}
