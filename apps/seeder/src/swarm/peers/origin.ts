import ipaddr from 'ipaddr.js'

/**
 * Whom connections from an address are charged to: the address, or for IPv6 the 64 bits that are given to one network
 * at least. Nobody for loopback: behind it stands this machine, and a proxy would be charged for all its users.
 */
export function originOf(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.range() === 'loopback') return undefined
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString()
}
