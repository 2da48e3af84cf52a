import type { LookupFunction } from 'node:net'
import type { Dial } from '@eldernode/core/graph'
import { WebSocket } from 'ws'
import { AddressRefusedError } from '../egress/index.ts'
import { graphSocket, socketOptions } from './socket.ts'

/** What `dial` needs to know about addresses that members name; the way out of `egress` fits. */
export interface AddressPolicy {
  isAllowedAddress(host: string): boolean
  readonly lookup: LookupFunction
}

/** Opens links. Addresses from heartbeats are judged, names by what they resolve to when the socket connects. */
export function createDial(policy: AddressPolicy): Dial {
  return (url, { signal, foreign }) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const { hostname } = new URL(url)
      if (foreign && !policy.isAllowedAddress(hostname)) throw new AddressRefusedError(hostname)
      // Redirects would lead past the check; ws follows none unless told to.
      const ws = new WebSocket(url, {
        ...socketOptions,
        followRedirects: false,
        handshakeTimeout: 10_000,
        ...(foreign && { lookup: policy.lookup }),
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
