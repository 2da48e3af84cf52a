import { type Announce, type Answer, type Counts, happened, kinds, mostPeers, type Swarms } from '../swarm/index.ts'
import { eventOf, maxScrape, noFullScrape, refuse, usualPeers, wordsOf } from './announce.ts'

/** Parameters of one request; clients send a dozen, and a scrape one for each torrent. */
const maxParameters = 128

const bytes = new Uint8Array(20)

/**
 * The query of an announce (BEP 3) from its first character on. A claimed `ip` is never read. The peer id has to be there
 * but tells nothing: a peer is known by the address it calls from. Throws `InvalidInputError`.
 */
export const parseHttpAnnounce = (search: string, word: Announce): void => {
  word.event = happened.update
  word.left = Number.NaN
  word.wanted = usualPeers
  word.port = 0
  word.uploaded = Number.NaN
  word.downloaded = Number.NaN
  let infoHashes = 0
  let hasPeerId = false
  let count = 0
  for (let start = 0, end = 0; start < search.length; start = end + 1) {
    if (++count > maxParameters) refuse(`at most ${maxParameters} parameters`)
    end = endOf(search, start)
    const from = search.indexOf('=', start) + 1
    if (from === 0 || from > end) continue
    switch (nameOf(search, start, from - 1)) {
      case 'info_hash':
        if (++infoHashes > 1) refuse('an announce names one info_hash')
        hashOf(search, from, end, 'info_hash')
        wordsOf(bytes, 0, word.infoHash)
        break
      case 'peer_id':
        hashOf(search, from, end, 'peer_id')
        hasPeerId = true
        break
      case 'port':
        word.port = digits(search, from, end)
        break
      case 'left':
        word.left = digits(search, from, end)
        break
      case 'uploaded':
        word.uploaded = digits(search, from, end)
        break
      case 'downloaded':
        word.downloaded = digits(search, from, end)
        break
      case 'event':
        word.event = eventOf(search.slice(from, end))
        break
      case 'numwant': {
        const wanted = digits(search, from, end)
        if (!Number.isNaN(wanted)) word.wanted = Math.min(wanted, mostPeers)
        break
      }
      case '':
        break
    }
  }
  if (infoHashes === 0) refuse('info_hash must be 20 bytes')
  if (!hasPeerId) refuse('peer_id must be 20 bytes')
  if (!(word.port >= 1 && word.port <= 65_535)) refuse('port must be 1 to 65535')
}

/** The query of a scrape (BEP 48). Without an info_hash it would list every torrent, so one is required. */
export const parseHttpScrape = (search: string): Int32Array[] => {
  const infoHashes: Int32Array[] = []
  let count = 0
  for (let start = 0, end = 0; start < search.length; start = end + 1) {
    if (++count > maxParameters) refuse(`at most ${maxParameters} parameters`)
    end = endOf(search, start)
    const from = search.indexOf('=', start) + 1
    if (from === 0 || from > end || nameOf(search, start, from - 1) !== 'info_hash') continue
    if (infoHashes.length === maxScrape) refuse(`at most ${maxScrape} info_hash values`)
    hashOf(search, from, end, 'info_hash')
    const words = new Int32Array(5)
    wordsOf(bytes, 0, words)
    infoHashes.push(words)
  }
  return infoHashes.length > 0 ? infoHashes : refuse(noFullScrape)
}

/** Where a parameter ends that begins there. */
const endOf = (search: string, start: number): number => {
  const end = search.indexOf('&', start)
  return end === -1 ? search.length : end
}

const names = ['info_hash', 'peer_id', 'port', 'left', 'uploaded', 'downloaded', 'event', 'numwant'] as const

/** The names that are read, by their length. */
const byLength: readonly (readonly (typeof names)[number][])[] = Array.from({ length: 11 }, (_, length) =>
  names.filter((name) => name.length === length),
)

/** Which of the names this is, or none. */
const nameOf = (search: string, from: number, to: number): (typeof names)[number] | '' => {
  const ofLength = byLength[to - from]
  if (ofLength === undefined) return ''
  for (let i = 0; i < ofLength.length; i++) {
    const name = ofLength[i] as (typeof names)[number]
    if (search.startsWith(name, from)) return name
  }
  return ''
}

/** Clients send 20 raw bytes percent-encoded, which is no UTF-8: each escape is one byte. */
const hashOf = (search: string, from: number, to: number, name: string): void => {
  let length = 0
  for (let at = from; at < to; at++) {
    let code = search.charCodeAt(at)
    if (code === 37) {
      code = at + 2 < to ? (hex(search.charCodeAt(at + 1)) << 4) | hex(search.charCodeAt(at + 2)) : -1
      at += 2
    } else if (code === 43) code = 32
    if (code < 0 || code > 255 || length === 20) refuse(`${name} must be 20 bytes`)
    bytes[length++] = code
  }
  if (length !== 20) refuse(`${name} must be 20 bytes`)
}

/** 0 to 15, or -1. */
const hex = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** `NaN` for what is no number of 1 to 16 digits. */
const digits = (search: string, from: number, to: number): number => {
  if (to === from || to - from > 16) return Number.NaN
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = search.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

const scratch = Buffer.alloc(mostPeers * 18)

const peersText = (peers: Int32Array, count: number, swarms: Swarms): string => {
  if (count === 0) return '0:'
  let at = 0
  for (let i = 0; i < count; i++) at = swarms.writePeer(peers[i] as number, scratch, at)
  return `${at}:${scratch.toString('latin1', 0, at)}`
}

/** Seconds. */
export interface Intervals {
  interval: number
  minInterval: number
}

/** The address that a word came from, in network order. */
const addressText = ({ kind, address }: Announce): string => {
  const length = kind === kinds.ipv6 ? 4 : 1
  for (let i = 0; i < length; i++) scratch.writeInt32BE(address[i] as number, i * 4)
  return `${length * 4}:${scratch.toString('latin1', 0, length * 4)}`
}

/**
 * The answer to an announce, bencoded, each byte as one character. Always compact (BEP 23): the other form tells peer ids,
 * which are nobody's business. IPv6 peers by BEP 7; the address that the client is seen with by BEP 24.
 */
export const announceText = (
  word: Announce,
  answer: Answer,
  swarms: Swarms,
  { interval, minInterval }: Intervals,
  trackerId: string,
): string => {
  const isIpv6 = word.kind === kinds.ipv6
  const own = peersText(answer.peers, answer.count, swarms)
  const others = peersText(answer.others, answer.otherCount, swarms)
  const ipv6 = isIpv6 ? own : others
  return (
    `d8:completei${answer.complete}e11:external ip${addressText(word)}` +
    `10:incompletei${answer.incomplete}e8:intervali${interval}e` +
    `12:min intervali${minInterval}e5:peers${isIpv6 ? others : own}` +
    (ipv6 === '0:' ? '' : `6:peers6${ipv6}`) +
    `10:tracker id${trackerId.length}:${trackerId}e`
  )
}

/** The answer to a scrape (BEP 48, `downloaders` by BEP 21), each byte as one character. */
export const scrapeText = (
  infoHashes: readonly Int32Array[],
  countsOf: (infoHash: Int32Array, counts: Counts) => void,
): string => {
  // Keys of a bencoded dictionary are unique and sorted.
  const files = new Map(infoHashes.map((words) => [textOf(words), words]))
  let text = 'd5:filesd'
  for (const [name, words] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    countsOf(words, counts)
    const { complete, downloaded, downloaders, incomplete } = counts
    text += `20:${name}d8:completei${complete}e10:downloadedi${downloaded}e11:downloadersi${downloaders}e`
    text += `10:incompletei${incomplete}ee`
  }
  return `${text}ee`
}

export const failureText = (reason: string): string => `d14:failure reason${reason.length}:${reason}e`

const textOf = (words: Int32Array): string => {
  for (let i = 0; i < 5; i++) scratch.writeInt32BE(words[i] as number, i * 4)
  return scratch.toString('latin1', 0, 20)
}

const counts: Counts = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 }
