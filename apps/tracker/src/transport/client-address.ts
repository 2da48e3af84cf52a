import { InvalidInputError } from '@eldernode/core'
import { isIP, type BlockList } from 'node:net'

/**
 * An address as peers are stored and told: IPv4 never in its IPv6 dress, IPv6 without a zone. Undefined when it is no
 * address.
 */
export const plainAddress = (text: string): string | undefined => {
  const [address = ''] = text.trim().split('%')
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1] ?? address
  return isIP(mapped) === 0 ? undefined : mapped
}

/**
 * Who calls. `X-Forwarded-For` is read from its right end, and only for as long as trusted proxies wrote it: what lies
 * further left is the caller's own invention. Throws `InvalidInputError` when a trusted proxy wrote no address.
 */
export const clientAddress = (
  remote: string | undefined,
  forwardedFor: string | undefined,
  trusted: BlockList,
): string => {
  let client = addressOf(remote)
  const hops = forwardedFor?.split(',') ?? []
  while (hops.length > 0 && isTrusted(client, trusted)) client = addressOf(withoutPort(hops.pop() ?? ''))
  return client
}

/** Whether the other end of a connection is a proxy that is trusted. */
export const isProxy = (remote: string, trusted: BlockList): boolean => {
  const address = plainAddress(remote)
  return address !== undefined && isTrusted(address, trusted)
}

/** Some proxies write `1.2.3.4:567` and `[2001:db8::1]:567`. */
const withoutPort = (hop: string): string => {
  const [, six, four] = /^\s*(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})\s*$/.exec(hop) ?? []
  return six ?? four ?? hop
}

const addressOf = (text: string | undefined): string => {
  const address = plainAddress(text ?? '')
  if (address === undefined) throw new InvalidInputError('the reverse proxy sent an X-Forwarded-For that is no address')
  return address
}

const isTrusted = (address: string, trusted: BlockList): boolean =>
  trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
