import type { LookupFunction } from 'node:net'
import { lookup as dnsLookup } from 'node:dns'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Agent, buildConnector } from 'undici'
import type { Dispatcher } from 'undici'
import { AddressRefusedError } from './errors.ts'

const globalUnicast = ipaddr.parseCIDR('2000::/3')

export interface EgressPolicy {
  /** Lets foreign values lead to private, loopback and link-local addresses too: for tests and closed networks. */
  allowPrivate: boolean
  /** Origins such as `http://10.0.0.5:8765` that are reachable whatever their address is. */
  allowedOrigins: readonly string[]
  /** The setting that permits private addresses, for those who read why one was refused. */
  permittedBy?: string
}

export interface EgressLimits {
  /** Milliseconds until a connection stands. */
  connectTimeout?: number
  /** Milliseconds a connection may be silent while an answer is awaited. */
  idleTimeout?: number
  /** Answers host names; the system's resolver by default. */
  resolver?: typeof dnsLookup
}

/**
 * The way out to addresses that others name: web seeds, peers, members' endpoints.
 *
 * Threat: a foreign value names an address, or a host name that resolves to one, inside the operator's network. Names
 * are therefore judged by the address they resolve to, in the lookup whose answer the socket then uses, so that a
 * second resolution cannot answer differently. Redirects open a new connection and pass the same check.
 */
export class Egress {
  readonly policy: EgressPolicy
  readonly #resolver: typeof dnsLookup
  /** For `fetch` and `request` of undici. Refuses with AddressRefusedError as the cause. */
  readonly dispatcher: Dispatcher

  constructor(policy: EgressPolicy, limits: EgressLimits = {}) {
    this.policy = policy
    const { connectTimeout = 10_000, idleTimeout = 30_000, resolver = dnsLookup } = limits
    this.#resolver = resolver
    this.dispatcher = new Agent({
      headersTimeout: idleTimeout,
      bodyTimeout: idleTimeout,
      connect: this.connector(connectTimeout),
    })
  }

  /** For the `connect` option of undici's dispatchers. @param timeout milliseconds until a connection stands */
  connector(timeout: number): buildConnector.connector {
    const open = buildConnector({ timeout })
    const guarded = buildConnector({ timeout, lookup: this.lookup })
    return (options, callback) => {
      if (this.isAllowedOrigin(`${options.protocol}//${options.host ?? options.hostname}`))
        return open(options, callback)
      if (!this.isAllowedAddress(options.hostname)) return callback(this.#refusal(options.hostname), null)
      guarded(options, callback)
    }
  }

  /** @throws AddressRefusedError for an address that `isAllowedAddress` refuses */
  assertAllowed(host: string): void {
    if (!this.isAllowedAddress(host)) throw this.#refusal(host)
  }

  isAllowedOrigin(url: string): boolean {
    if (this.policy.allowedOrigins.length === 0 || !URL.canParse(url)) return false
    return this.policy.allowedOrigins.includes(new URL(url).origin)
  }

  /**
   * Judges an IP address, with or without brackets. A host name is let through, `localhost` excepted: `lookup` and
   * `dispatcher` judge the address it resolves to.
   */
  isAllowedAddress(host: string): boolean {
    if (this.policy.allowPrivate) return true
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
      if (first === undefined) return callback(this.#refusal(hostname), '', 0)
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

  #refusal(host: string): AddressRefusedError {
    return new AddressRefusedError(host, this.policy.permittedBy)
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy()
  }
}
