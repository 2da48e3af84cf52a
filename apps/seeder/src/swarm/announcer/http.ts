import { isIP } from 'node:net'
import { Pool } from 'undici'
import { decode } from '../metainfo/bencode.ts'
import type { Bencoded } from '../metainfo/bencode.ts'
import type { Egress } from '../../egress/index.ts'
import { Deadlines } from './deadlines.ts'
import { TrackerFailedError, TrackerRefusedError } from './errors.ts'
import { HttpExchange } from './http-exchange.ts'
import type { HttpAnswer } from './http-exchange.ts'
import { retryIn } from './intervals.ts'
import { compactPeers, compactPeers6 } from './peers.ts'
import { wanted } from './port.ts'
import type { Announce, AnnounceAnswer, Announcing, TrackerConnection } from './port.ts'

/** Milliseconds for one answer. */
const usualTimeout = 15_000
const maxConnections = 32
const maxRedirects = 3
const maxTrackerId = 256

/** Announces by HTTP or HTTPS (BEP 3, 7, 23, 31), over a few kept connections for all torrents. */
export class HttpTracker implements TrackerConnection {
  readonly #url: URL
  readonly #node: Announcing
  readonly #pool: Pool
  readonly #deadlines: Deadlines<HttpExchange>
  /** Everything of a query that never changes. */
  readonly #constant: string
  /** What the tracker wants to hear again (BEP 3), ready for a query. */
  #trackerId = ''

  constructor(url: string, node: Announcing, now: () => number, timeout = usualTimeout, egress?: Egress) {
    this.#url = new URL(url)
    this.#node = node
    this.#deadlines = new Deadlines(timeout, now, (exchange) =>
      exchange.abort(new RangeError(`no answer within ${timeout} ms`)),
    )
    this.#constant = `peer_id=${percent(node.peerId)}&compact=1&no_peer_id=1`
    this.#pool = new Pool(this.#url.origin, {
      connections: maxConnections,
      connect: egress?.connector(timeout) ?? { timeout },
      headersTimeout: timeout,
      bodyTimeout: timeout,
      maxHeaderSize: 16_384,
    })
  }

  async announce(announce: Announce): Promise<AnnounceAnswer> {
    const answer = await this.#get(this.#path(announce))
    const refused = text(answer.get('failure reason'))
    const again = answer.get('retry in')
    const asked = retryIn(typeof again === 'number' ? again : text(again))
    if (refused !== undefined) throw new TrackerRefusedError(this.#url.href, refused, asked)
    const trackerId = answer.get('tracker id')
    if (trackerId instanceof Uint8Array && trackerId.length <= maxTrackerId) {
      this.#trackerId = `&trackerid=${percent(Buffer.from(trackerId).toString('hex'))}`
    }
    return {
      interval: seconds(answer.get('interval')),
      minInterval: seconds(answer.get('min interval')),
      warning: text(answer.get('warning message')) ?? text(answer.get('warning reason')),
      peers: [...listed(answer.get('peers')), ...listed6(answer.get('peers6'))],
    }
  }

  close(): void {
    this.#deadlines.clear()
    void this.#pool.destroy()
  }

  #path(announce: Announce): string {
    const { infoHash, event, uploaded, downloaded, left } = announce
    const { pathname, search } = this.#url
    return (
      `${pathname}${search === '' ? '?' : `${search}&`}info_hash=${percent(infoHash)}&${this.#constant}` +
      `&port=${this.#node.port()}&uploaded=${uploaded}&downloaded=${downloaded}&left=${left}` +
      `&numwant=${wanted(announce)}${event === 'update' ? '' : `&event=${event}`}${this.#trackerId}`
    )
  }

  async #get(path: string): Promise<Map<string, Bencoded>> {
    try {
      let answer = await this.#exchange(path)
      for (let redirects = 0; answer.location !== undefined; redirects++) {
        if (redirects === maxRedirects) throw new RangeError(`it redirects more than ${maxRedirects} times`)
        answer = await this.#exchange(this.#redirected(answer.location, path))
      }
      const { status, body, retryAfter } = answer
      const found = status === 200 || body[0] === 0x64 ? decode(body) : undefined
      if (found instanceof Map && (status === 200 || found.has('failure reason'))) return found
      const reason = status === 200 ? 'no dictionary' : `HTTP status ${status}`
      throw new TrackerFailedError(this.#url.href, reason, { retryAfter })
    } catch (error) {
      if (error instanceof TrackerFailedError) throw error
      throw new TrackerFailedError(this.#url.href, (error as Error).message, { cause: error })
    }
  }

  #exchange(path: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const ended = (): unknown => this.#deadlines.end((known) => known === exchange)
      const exchange = new HttpExchange(
        (answer) => {
          ended()
          resolve(answer)
        },
        (error) => {
          ended()
          reject(error)
        },
      )
      this.#deadlines.begin(exchange)
      this.#pool.dispatch({ path, method: 'GET', headers: ['user-agent', 'eldernode'] }, exchange)
    })
  }

  /**
   * Threat: a tracker that was taken over sends this node, which may stand inside a network, to other servers in it.
   * A redirect therefore stays with the scheme, host and port that the operator named.
   */
  #redirected(location: string, path: string): string {
    const base = new URL(path, this.#url)
    const target = URL.canParse(location, base.href) ? new URL(location, base.href) : undefined
    if (target?.origin === this.#url.origin) return target.pathname + target.search
    throw new RangeError(`it redirects to ${location}, another server: if that is right, announce there instead`)
  }
}

function percent(hex: string): string {
  return hex.replace(/../g, '%$&')
}

function seconds(value: Bencoded | undefined): number | undefined {
  return typeof value === 'number' ? value * 1000 : undefined
}

function text(value: Bencoded | undefined): string | undefined {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : undefined
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
