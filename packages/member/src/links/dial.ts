import type { Dial } from '@eldernode/core/graph'
import { WebSocket } from 'ws'
import type { Addresses } from '../addresses/index.ts'
import { graphSocket, socketOptions } from './socket.ts'

/** Opens links. Addresses from heartbeats are judged, names by what they resolve to when the socket connects. */
export function createDial(addresses: Pick<Addresses, 'assertAllowed' | 'lookup'>): Dial {
  return (url, { signal, foreign }) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const { hostname } = new URL(url)
      if (foreign) addresses.assertAllowed(hostname)
      // Redirects would lead past the check; ws follows none unless told to.
      const ws = new WebSocket(url, {
        ...socketOptions,
        followRedirects: false,
        handshakeTimeout: 10_000,
        ...(foreign && { lookup: addresses.lookup }),
      })
      const abort = (): void => ws.terminate()
      signal.addEventListener('abort', abort, { once: true })
      ws.once('error', reject)
      ws.once('close', () => reject(new Error(`no link to ${url}`)))
      ws.once('open', () => {
        signal.removeEventListener('abort', abort)
        resolve(graphSocket(ws))
      })
    })
}
