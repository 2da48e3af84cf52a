import { lookup as dnsLookup } from 'node:dns'
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { AddressRefusedError } from './errors.ts'

const globalUnicast = ipaddr.parseCIDR('2000::/3')

export interface AddressPolicy {
  /** Lets foreign values lead to private, loopback and link-local addresses too: for tests and closed networks. */
  allowPrivate: boolean
  /** The setting that permits private addresses, for those who read why one was refused. */
  permittedBy?: string
}

/**
 * Judges addresses that others name: web seeds, peers, members' endpoints.
 *
 * Threat: a foreign value names an address, or a host name that resolves to one, inside the operator's network. Names
 * are therefore judged by the address they resolve to, in the lookup whose answer the socket then uses, so that a
 * second resolution cannot answer differently.
 */
export class Addresses {
  readonly #policy: AddressPolicy
  readonly #resolver: typeof dnsLookup

  /** @param resolver answers host names; the system's by default */
  constructor(policy: AddressPolicy, resolver = dnsLookup) {
    this.#policy = policy
    this.#resolver = resolver
  }

  /** @throws AddressRefusedError for an address that `isAllowedAddress` refuses */
  assertAllowed(host: string): void {
    if (!this.isAllowedAddress(host)) throw this.refusal(host)
  }

  /**
   * Judges an IP address, with or without brackets. A host name is let through, `localhost` excepted: `lookup` judges
   * the address it resolves to.
   */
  isAllowedAddress(host: string): boolean {
    if (this.#policy.allowPrivate) return true
    const bare = host.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
    if (isIP(bare) === 0) return bare !== '' && !/(^|\.)localhost\.?$/i.test(bare)
    const address = ipaddr.process(bare)
    if (address.range() !== 'unicast') return false
    // Beyond global unicast (RFC 4291) lie forms of IPv4 addresses too, ::127.0.0.1 among them.
    return address.kind() === 'ipv4' || address.match(globalUnicast)
  }

  /** Drop-in for the `lookup` option of `net.connect`, `tls.connect` and `ws`; fails with AddressRefusedError. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#resolver(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0)
      const allowed = addresses.filter(({ address }) => this.isAllowedAddress(address))
      const first = allowed[0]
      if (first === undefined) return callback(this.refusal(hostname), '', 0)
      if (options.all) return callback(null, allowed)
      callback(null, first.address, first.family)
    })
  }

  /** The allowed addresses of a host, at least one. @throws AddressRefusedError, or the resolver's error */
  resolve(host: string): Promise<string[]> {
    const bare = host.replace(/^\[|\]$/g, '')
    return new Promise((resolve, reject) => {
      this.lookup(bare, { all: true }, (error, addresses) => {
        if (error) return reject(error)
        resolve(typeof addresses === 'string' ? [addresses] : addresses.map(({ address }) => address))
      })
    })
  }

  /** The error of who was led to `host`. */
  refusal(host: string): AddressRefusedError {
    return new AddressRefusedError(host, this.#policy.permittedBy)
  }
}
