import { InvalidInputError } from '@eldernode/core'
import type { IceServer } from 'node-datachannel'

/** What the WebRTC library speaks to: STUN over UDP, and TURN over UDP with a name and a password. */
const url = /^(stun|turn):(?:([^\s:@]+):([^\s@]+)@)?(\[[\da-f:.]+\]|[^\s:@[\]?/]+)(?::(\d{1,5}))?(?:\?transport=udp)?$/i
const usualPort = 3478

/**
 * Reads `stun:host[:port]` (RFC 7064) and `turn:user:password@host[:port][?transport=udp]` (RFC 7065, with the
 * credentials in front); what is reserved in URLs is percent-encoded in user and password.
 * @throws InvalidInputError naming the kind of server, never the password
 */
export function iceServer(text: string): IceServer {
  const server = parsed(text)
  if (server === undefined) {
    throw new InvalidInputError(
      `an ICE server that begins with ${text.slice(0, 5)} cannot be used: ` +
        'write stun:host:port or turn:user:password@host:port',
    )
  }
  return server
}

/** Whether `iceServer` reads it. */
export function isIceServer(text: string): boolean {
  return parsed(text) !== undefined
}

function parsed(text: string): IceServer | undefined {
  const [, scheme, user, password, host = '', port = usualPort] = url.exec(text) ?? []
  const isTurn = scheme?.toLowerCase() === 'turn'
  const isPort = Number(port) >= 1 && Number(port) <= 65_535
  if (scheme === undefined || isTurn !== (user !== undefined) || !isPort) return undefined
  const server = { hostname: host.replace(/^\[|\]$/g, ''), port: Number(port) }
  if (!isTurn) return server
  return { ...server, username: decoded(user), password: decoded(password), relayType: 'TurnUdp' }
}

function decoded(text = ''): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
