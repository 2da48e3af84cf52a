import { type Announce, type Answer, type Counts, kinds, type Swarms } from '../swarm/index.ts'
import { maxScrape, refuse, usualPeers, wordsOf } from './announce.ts'

export const udpActions = { connect: 0, announce: 1, scrape: 2, error: 3 } as const

/** A packet of BEP 15, without what goes into an `Announce`. Filled again for every packet. */
export class UdpRequest {
  action: 0 | 1 | 2 = 0
  /** The two halves of the connection id. */
  high = 0
  low = 0
  transaction = 0
  /** Where the torrents of a scrape begin, 20 bytes each. */
  scrapes = 0
  /** The path and query that a client was given as announce URL (BEP 41). */
  urlData = ''
}

const head = 16
const announceLength = 98
/** Peers that fit into a packet that no network breaks up. */
const mostOf = { [kinds.ipv4]: 200, [kinds.ipv6]: 72, [kinds.socket]: 0 }

/**
 * Reads one packet. A claimed IP address is never read: it would let anybody enlist a third party. Throws
 * `InvalidInputError`.
 */
export const parseUdp = (packet: Buffer, request: UdpRequest, word: Announce): void => {
  if (packet.length < head) refuse('the packet is too short')
  request.high = packet.readInt32BE(0)
  request.low = packet.readInt32BE(4)
  const action = packet.readInt32BE(8)
  request.transaction = packet.readInt32BE(12)
  if (action === udpActions.announce) parseAnnounce(packet, request, word)
  else if (action === udpActions.scrape) {
    const count = (packet.length - head) / 20
    if (!Number.isInteger(count) || count < 1 || count > maxScrape) refuse(`a scrape names 1 to ${maxScrape} torrents`)
    request.scrapes = count
  } else if (action !== udpActions.connect) return refuse(`unknown action ${action}`)
  request.action = action
}

const parseAnnounce = (packet: Buffer, request: UdpRequest, word: Announce): void => {
  if (packet.length < announceLength) refuse('the announce is too short')
  const event = packet.readInt32BE(80)
  if (event < 0 || event > 3) refuse('unknown event')
  wordsOf(packet, 16, word.infoHash)
  word.downloaded = amountAt(packet, 56)
  word.left = amountAt(packet, 64)
  word.uploaded = amountAt(packet, 72)
  word.event = event
  const wanted = packet.readInt32BE(92)
  word.wanted = Math.min(wanted < 0 ? usualPeers : wanted, mostOf[word.kind])
  word.port = packet.readUInt16BE(96)
  request.urlData = packet.length > announceLength ? urlDataOf(packet) : ''
}

/** Bytes. Clients that do not know the size say the largest number there is. */
const amountAt = (packet: Buffer, at: number): number => {
  const high = packet.readUInt32BE(at)
  return high > 0x1f_ffff ? Number.NaN : high * 2 ** 32 + packet.readUInt32BE(at + 4)
}

/** The pieces of option 2 joined (BEP 41); options that are not known are skipped. Throws `InvalidInputError`. */
const urlDataOf = (packet: Buffer): string => {
  let text = ''
  for (let at = announceLength; at < packet.length;) {
    const option = packet[at++]
    if (option === 0) break
    if (option === 1) continue
    const length = packet[at++] ?? 255
    if (at + length > packet.length) refuse('an option is longer than the packet')
    if (option === 2) text += packet.toString('latin1', at, at + length)
    at += length
  }
  return text
}

/** All writers return the length of the answer. */
export const writeConnect = (into: Buffer, transaction: number, high: number, low: number): number => {
  into.writeInt32BE(udpActions.connect, 0)
  into.writeInt32BE(transaction, 4)
  into.writeInt32BE(high, 8)
  return into.writeInt32BE(low, 12)
}

export const writeAnnounce = (
  into: Buffer,
  transaction: number,
  interval: number,
  answer: Answer,
  swarms: Swarms,
): number => {
  into.writeInt32BE(udpActions.announce, 0)
  into.writeInt32BE(transaction, 4)
  into.writeInt32BE(interval, 8)
  into.writeInt32BE(answer.incomplete, 12)
  let at = into.writeInt32BE(answer.complete, 16)
  // A packet holds peers of the family that it is sent over.
  for (let i = 0; i < answer.count; i++) at = swarms.writePeer(answer.peers[i] as number, into, at)
  return at
}

export const writeScrape = (into: Buffer, packet: Buffer, request: UdpRequest, countsOf: CountsOf): number => {
  into.writeInt32BE(udpActions.scrape, 0)
  let at = into.writeInt32BE(request.transaction, 4)
  for (let i = 0; i < request.scrapes; i++) {
    wordsOf(packet, head + 20 * i, infoHash)
    countsOf(infoHash, counts)
    at = into.writeInt32BE(counts.complete, at)
    at = into.writeUInt32BE(counts.downloaded, at)
    at = into.writeInt32BE(counts.incomplete, at)
  }
  return at
}

/** The infohashes of a scrape. */
export const scrapedHashes = (packet: Buffer, { scrapes }: UdpRequest): Int32Array[] =>
  Array.from({ length: scrapes }, (_, i) => {
    const words = new Int32Array(5)
    wordsOf(packet, head + 20 * i, words)
    return words
  })

export const writeError = (into: Buffer, transaction: number, message: string): number => {
  into.writeInt32BE(udpActions.error, 0)
  into.writeInt32BE(transaction, 4)
  return 8 + into.write(message, 8, 'latin1')
}

type CountsOf = (infoHash: Int32Array, counts: Counts) => void

const infoHash = new Int32Array(5)
const counts: Counts = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 }
