import { createHash } from 'node:crypto'
import type Wire from 'bittorrent-protocol'
import type { Torrent, TorrentPiece } from 'webtorrent'

const blockBytes = 16_384
/** Failed tries of one piece that are remembered to be compared with the right bytes. */
const mostTries = 8
/** So many bad peers of one address, and nobody from there is let in. */
const mostOfOneAddress = 4

/** A piece whose bytes are all here and are being checked. */
interface Given {
  piece: TorrentPiece
  blocks: readonly Uint8Array[]
  /** Whose each block is. */
  from: readonly Wire[]
}

/** Who gave which bytes of a piece that failed. */
type Try = readonly { from: Wire; sha1: string }[]

interface Failed {
  tries: Try[]
  /** The only one who is asked for this piece. */
  owner: Wire | undefined
}

export interface ParoleOptions {
  /** Told of a source that gave wrong bytes, before its connection ends. */
  banned(wire: Wire): void
}

/**
 * Finds out who gives wrong bytes, and bans them from a fetch. Whoever gave all of a piece that fails its SHA-1 is banned
 * at once. When several gave it, one alone is asked for the piece from then on; once it is right, those go who had given
 * something else.
 *
 * Threat: one poisoned source among many would spoil every piece in which it has a block, for as long as the fetch lasts.
 */
export class Parole {
  readonly #options: ParoleOptions
  readonly #watched = new WeakSet<object>()
  readonly #given = new Map<number, Given>()
  readonly #failed = new Map<number, Failed>()
  readonly #bannedPeers = new Set<string>()
  readonly #bannedAddresses = new Map<string, number>()

  constructor(torrent: Torrent, options: ParoleOptions) {
    this.#options = options
    const request = torrent._request.bind(torrent)
    torrent._request = (wire, index, hotswap) => {
      const piece = torrent.pieces[index]
      if (piece === null || piece === undefined) return false
      if (!this.#watched.has(piece)) this.#watch(index, piece)
      return this.#mayAsk(wire, index) && request(wire, index, hotswap)
    }
    const addPeer = torrent._addPeer.bind(torrent)
    torrent._addPeer = (peer, type, source) => {
      return typeof peer === 'string' && this.#isBanned(peer) ? null : addPeer(peer, type, source)
    }
    torrent.on('wire', (wire: Wire) => {
      const { peerId, remoteAddress = '' } = wire
      const isKnown = this.#bannedPeers.has(peerId ?? '') || this.#isFull(remoteAddress)
      if (isKnown && wire.type !== 'webSeed') wire.destroy()
    })
    torrent.on('verified', (index: number) => this.#right(index))
    // The engine says in words which piece failed, and has put another one in its place.
    torrent.on('warning', () => {
      for (const [index, { piece }] of this.#given) if (torrent.pieces[index] !== piece) this.#wrong(index)
    })
  }

  /** Notes who gives which block of a piece, and keeps them until it is checked. */
  #watch(index: number, piece: TorrentPiece): void {
    this.#watched.add(piece)
    const from: Wire[] = []
    const set = piece.set.bind(piece)
    const flush = piece.flush.bind(piece)
    piece.set = (block, bytes, source) => {
      for (let n = 0; n < Math.ceil(bytes.length / blockBytes); n++) from[block + n] ??= source
      return set(block, bytes, source)
    }
    piece.flush = () => {
      const blocks = piece._buffer ?? []
      const bytes = flush()
      if (bytes !== null) this.#given.set(index, { piece, blocks, from })
      return bytes
    }
  }

  #mayAsk(wire: Wire, index: number): boolean {
    const failed = this.#failed.get(index)
    if (failed === undefined || failed.owner === wire) return true
    const { owner } = failed
    const isBusy = owner?.destroyed === false && owner.requests.some(({ piece }) => piece === index)
    if (isBusy) return false
    failed.owner = wire
    return true
  }

  #right(index: number): void {
    const given = this.#given.get(index)
    const failed = this.#failed.get(index)
    this.#given.delete(index)
    this.#failed.delete(index)
    if (given === undefined || failed === undefined) return
    const right = given.blocks.map(sha1)
    for (const tried of failed.tries) {
      for (const [block, { from, sha1: found }] of tried.entries()) if (found !== right[block]) this.#ban(from)
    }
  }

  #wrong(index: number): void {
    const given = this.#given.get(index)
    this.#given.delete(index)
    if (given === undefined) return
    const [first, ...others] = new Set(given.from)
    if (first !== undefined && others.length === 0) this.#ban(first)
    const failed = this.#failed.get(index) ?? { tries: [], owner: undefined }
    this.#failed.set(index, failed)
    failed.owner = undefined
    if (others.length === 0 || failed.tries.length >= mostTries) return
    failed.tries.push(
      given.blocks.flatMap((bytes, n) => {
        const from = given.from[n]
        return from === undefined ? [] : [{ from, sha1: sha1(bytes) }]
      }),
    )
  }

  #ban(wire: Wire): void {
    const { peerId, remoteAddress, remotePort } = wire
    if (this.#bannedPeers.has(peerId ?? '')) return
    if (peerId !== null) this.#bannedPeers.add(peerId)
    if (remoteAddress !== undefined) {
      this.#bannedPeers.add(`${remoteAddress}:${remotePort}`)
      this.#bannedAddresses.set(remoteAddress, (this.#bannedAddresses.get(remoteAddress) ?? 0) + 1)
    }
    this.#options.banned(wire)
    wire.destroy()
  }

  #isBanned(peer: string): boolean {
    const cut = peer.lastIndexOf(':')
    const host = peer.slice(0, cut).replace(/^\[|\]$/g, '')
    return this.#bannedPeers.has(`${host}:${peer.slice(cut + 1)}`) || this.#isFull(host)
  }

  #isFull(address: string): boolean {
    return (this.#bannedAddresses.get(address) ?? 0) >= mostOfOneAddress
  }
}

function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('base64')
}
