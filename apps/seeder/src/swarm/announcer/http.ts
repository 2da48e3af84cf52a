import { isIP } from 'node:net'
import { Agent, request } from 'undici'
import { decode } from '../bencode.ts'
import type { Bencoded } from '../bencode.ts'
import { TrackerFailedError, TrackerRefusedError } from './errors.ts'
import { compactPeers, compactPeers6 } from './peers.ts'
import { wanted } from './port.ts'
import type { Announce, AnnounceAnswer, Announcing, TrackerConnection } from './port.ts'

const timeout = 15_000
const maxAnswerBytes = 256 * 1024
const defaultInterval = 30 * 60_000

/** Announces by HTTP or HTTPS (BEP 3, 7, 23), over a few kept connections for all torrents. */
export class HttpTracker implements TrackerConnection {
  readonly #url: string
  readonly #node: Announcing
  readonly #agent = new Agent({ connections: 8, headersTimeout: timeout, bodyTimeout: timeout })

  constructor(url: string, node: Announcing) {
    this.#url = url
    this.#node = node
  }

  async announce({ infoHash, event, uploaded, downloaded, left }: Announce): Promise<AnnounceAnswer> {
    const query = [
      `info_hash=${percent(infoHash)}`,
      `peer_id=${percent(this.#node.peerId)}`,
      `port=${this.#node.port()}`,
      `uploaded=${uploaded}`,
      `downloaded=${downloaded}`,
      `left=${left}`,
      'compact=1',
      `numwant=${wanted(left)}`,
      ...(event === 'update' ? [] : [`event=${event}`]),
    ].join('&')
    const answer = await this.#get(`${this.#url}${this.#url.includes('?') ? '&' : '?'}${query}`)
    const refused = answer.get('failure reason')
    if (refused instanceof Uint8Array) throw new TrackerRefusedError(this.#url, Buffer.from(refused).toString('utf8'))
    const interval = answer.get('interval')
    return {
      interval: typeof interval === 'number' && interval > 0 ? interval * 1000 : defaultInterval,
      peers: [...listed(answer.get('peers')), ...listed6(answer.get('peers6'))],
    }
  }

  close(): void {
    void this.#agent.destroy()
  }

  async #get(url: string): Promise<Map<string, Bencoded>> {
    try {
      const { statusCode, body } = await request(url, {
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(timeout),
        headers: { 'user-agent': 'eldernode' },
      })
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        size += chunk.length
        if (size > maxAnswerBytes) throw new RangeError(`the answer is longer than ${maxAnswerBytes} bytes`)
        chunks.push(chunk)
      }
      if (statusCode !== 200) throw new RangeError(`HTTP status ${statusCode}`)
      const answer = decode(Buffer.concat(chunks))
      if (!(answer instanceof Map)) throw new RangeError('not a dictionary')
      return answer
    } catch (error) {
      throw new TrackerFailedError(this.#url, (error as Error).message, { cause: error })
    }
  }
}

function percent(hex: string): string {
  return hex.replace(/../g, '%$&')
}

/** Compact peers, or the older list of dictionaries; names instead of addresses are left out. */
function listed(peers: Bencoded | undefined): string[] {
  if (peers instanceof Uint8Array) return compactPeers(peers)
  if (!Array.isArray(peers)) return []
  return peers.flatMap((peer) => {
    if (!(peer instanceof Map)) return []
    const [ip, port] = [peer.get('ip'), peer.get('port')]
    if (!(ip instanceof Uint8Array) || typeof port !== 'number') return []
    const address = Buffer.from(ip).toString('latin1')
    return isIP(address) === 0 ? [] : [isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`]
  })
}

function listed6(peers: Bencoded | undefined): string[] {
  return peers instanceof Uint8Array ? compactPeers6(peers) : []
}
