import { parse } from 'node:querystring'
import { binaryHash, eventOf, leftOf, maxPeers, maxScrape, refuse, type Announce, type Scrape } from './announce.ts'

export interface HttpAnnounce extends Announce {
  port: number
  numwant: number | undefined
}

/** Peers of one torrent: those that have all of it, and the others. */
interface Counts {
  complete: number
  incomplete: number
}

/** Browsers and clients send 20 raw bytes percent-encoded, which is no UTF-8: each escape is one character. */
const decodeBytes = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

const encodeBytes = (hex: string): string => hex.replace(/../g, '%$&')

const query = (search: string) => parse(search, '&', '=', { decodeURIComponent: decodeBytes, maxKeys: 2 * maxScrape })

const digits = (value: unknown): number =>
  typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN

/** The query of `GET /announce` (BEP 3). A claimed `ip` is never read. Throws `InvalidInputError`. */
export const parseHttpAnnounce = (search: string): HttpAnnounce => {
  const params = query(search)
  const port = digits(params['port'])
  if (!(port >= 1 && port <= 65_535)) refuse('port must be 1 to 65535')
  const numwant = digits(params['numwant'])
  return {
    infoHash: binaryHash('info_hash', params['info_hash']),
    peerId: binaryHash('peer_id', params['peer_id']),
    event: eventOf(params['event']),
    left: leftOf(digits(params['left'])),
    port,
    numwant: Number.isNaN(numwant) ? undefined : Math.min(numwant, maxPeers),
  }
}

/** The query of `GET /scrape` (BEP 48). Without an info_hash it would list every torrent, so one is required. */
export const parseHttpScrape = (search: string): Scrape => {
  const value = query(search)['info_hash']
  const list = Array.isArray(value) ? value : [value]
  if (list.length > maxScrape) refuse(`at most ${maxScrape} info_hash values`)
  return { infoHashes: list.map((one) => binaryHash('info_hash', one)) }
}

/** A checked announce as the engine reads it. Answers are always compact (BEP 23): the other form garbles peer ids. */
export const announceUrl = ({ infoHash, peerId, event, left, port, numwant }: HttpAnnounce): string =>
  `/announce?info_hash=${encodeBytes(infoHash)}&peer_id=${encodeBytes(peerId)}&port=${port}&event=${event}&compact=1` +
  (left === undefined ? '' : `&left=${left}`) +
  (numwant === undefined ? '' : `&numwant=${numwant}`)

/**
 * The answer to a scrape (BEP 48), bencoded. Written here because the stock server encodes the 20 bytes of each key as
 * UTF-8 text, which no client can find its torrent by.
 */
export const scrapeAnswer = (infoHashes: readonly string[], countsOf: (infoHash: string) => Counts): Buffer =>
  Buffer.concat([
    Buffer.from('d5:filesd'),
    // Keys of a bencoded dictionary are unique and sorted; hex sorts as its bytes do.
    ...[...new Set(infoHashes)].sort().flatMap((infoHash) => {
      const { complete, incomplete } = countsOf(infoHash)
      const counts = `d8:completei${complete}e10:downloadedi${complete}e10:incompletei${incomplete}ee`
      return [Buffer.from('20:'), Buffer.from(infoHash, 'hex'), Buffer.from(counts)]
    }),
    Buffer.from('ee'),
  ])
