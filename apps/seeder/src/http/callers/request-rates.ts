import { createHash } from 'node:crypto'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RateLimitError, TooManyFailuresError } from '../../access/index.ts'
import { clientAddress } from './client-address.ts'

/** Requests per second of one bearer and of one address, and wrong tokens per minute of one address. 0 is no limit. */
export interface RateSettings {
  token: number
  address: number
  failures: number
}

const windowMs = 10_000
const failureWindowMs = 60_000
/** Tokens found right that are remembered: beyond them those not seen for longest are forgotten. */
const remembered = 10_000

/** Keeps one client from taking the time of all others, and from guessing tokens. */
export class RequestRates {
  readonly #settings: () => RateSettings
  readonly #byToken: Limiter
  readonly #byAddress: Limiter
  readonly #failures: Limiter
  readonly #proven = new Set<string>()

  private constructor(app: FastifyInstance, settings: () => RateSettings) {
    this.#settings = settings
    const limiter = (timeWindow: number, max: () => number, keyGenerator: (request: FastifyRequest) => string) =>
      app.createRateLimit({ timeWindow, max, keyGenerator })
    const perWindow = (rate: number) => (rate * windowMs) / 1000
    this.#byToken = limiter(
      windowMs,
      () => perWindow(settings().token),
      ({ caller }) => caller?.token ?? '',
    )
    this.#byAddress = limiter(windowMs, () => perWindow(settings().address), clientAddress)
    this.#failures = limiter(failureWindowMs, () => settings().failures, clientAddress)
  }

  static async of(app: FastifyInstance, settings: () => RateSettings): Promise<RequestRates> {
    await app.register(rateLimit, { global: false })
    return new RequestRates(app, settings)
  }

  /**
   * To be asked before a token is looked at. From an address with too many wrong ones no other is tried any more; those
   * found right before go on, so that nobody is locked out by a neighbour.
   * @throws TooManyFailuresError
   */
  async attempt(request: FastifyRequest, token: string): Promise<void> {
    if (this.#settings().failures === 0 || this.#proven.has(proofOf(request, token))) return
    const failures = await this.#failures(request, { increment: false })
    if (!failures.isAllowed && failures.remaining === 0) throw new TooManyFailuresError(failures.ttl)
  }

  async failed(request: FastifyRequest): Promise<void> {
    await this.#failures(request)
  }

  succeeded(request: FastifyRequest, token: string): void {
    const proof = proofOf(request, token)
    // Adding it anew moves it to the end, so the first is always the one unused for longest.
    this.#proven.delete(proof)
    this.#proven.add(proof)
    const [oldest] = this.#proven
    if (this.#proven.size > remembered && oldest !== undefined) this.#proven.delete(oldest)
  }

  /**
   * Counts a request, by its bearer or else by its address. Administrators are not limited; members are by the gate that
   * checks what they sign. @throws RateLimitError
   */
  async spend(request: FastifyRequest): Promise<void> {
    const { caller, member } = request
    if (caller?.admin === true || (caller === undefined && member !== undefined)) return
    const { token, address } = this.#settings()
    const rate = caller === undefined ? address : token
    if (rate === 0) return
    const spent = await (caller === undefined ? this.#byAddress : this.#byToken)(request)
    if (spent.isAllowed || !spent.isExceeded) return
    throw new RateLimitError(caller === undefined ? 'An address without a token' : 'A token', rate, spent.ttl)
  }
}

type Limiter = ReturnType<FastifyInstance['createRateLimit']>

function proofOf(request: FastifyRequest, token: string): string {
  return `${clientAddress(request)} ${createHash('sha256').update(token).digest('base64')}`
}
