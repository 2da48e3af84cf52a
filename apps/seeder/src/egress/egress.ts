import type { lookup as dnsLookup } from 'node:dns'
import { Addresses } from '@eldernode/member/addresses'
import type { AddressPolicy } from '@eldernode/member/addresses'
import { Agent, buildConnector } from 'undici'
import type { Dispatcher } from 'undici'

export interface EgressPolicy extends AddressPolicy {
  /** Origins such as `http://10.0.0.5:8765` that are reachable whatever their address is. */
  allowedOrigins: readonly string[]
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
 * The way out to addresses that others name, as `Addresses` judges them. Redirects open a new connection and pass the
 * same check.
 */
export class Egress extends Addresses {
  readonly policy: EgressPolicy
  /** For `fetch` and `request` of undici. Refuses with AddressRefusedError as the cause. */
  readonly dispatcher: Dispatcher

  constructor(policy: EgressPolicy, limits: EgressLimits = {}) {
    super(policy, limits.resolver)
    this.policy = policy
    const { connectTimeout = 10_000, idleTimeout = 30_000 } = limits
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
      if (!this.isAllowedAddress(options.hostname)) return callback(this.refusal(options.hostname), null)
      guarded(options, callback)
    }
  }

  isAllowedOrigin(url: string): boolean {
    if (this.policy.allowedOrigins.length === 0 || !URL.canParse(url)) return false
    return this.policy.allowedOrigins.includes(new URL(url).origin)
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy()
  }
}
