import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'

/** What one subscriber has of IPv6 (RFC 6177): each of its addresses would otherwise be a client of its own. */
const subscriberBits = 64

/**
 * What stands for a client where clients are told apart: its IPv4 address, or the /64 of its IPv6 address. Behind a proxy
 * that is trusted it is the last address in X-Forwarded-For that is not such a proxy's; a proxy that names no address
 * there stands for its clients itself.
 */
export function clientAddress({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  const text = isIP(ip) === 0 ? (socket.remoteAddress ?? '') : ip
  if (isIP(text) === 0) return 'none'
  const address = ipaddr.process(text)
  if (address.kind() === 'ipv4') return address.toString()
  const block = address.toByteArray().fill(0, subscriberBits / 8)
  return ipaddr.fromByteArray(block).toString()
}
