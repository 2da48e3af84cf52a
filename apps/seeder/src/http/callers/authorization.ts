import type { NodeId } from '@eldernode/core'
import type { FastifyContextConfig, FastifyRequest } from 'fastify'
import { type Caller, InsufficientScopeError, type Scope, type Tokens, UnauthorizedError } from '../../access/index.ts'
import type { RequestRates } from './request-rates.ts'
import type { Services } from '../services.ts'

const reading = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether requests of this method need a token. By method, so that a new route cannot forget to ask for it. */
export function changesSomething(method: string): boolean {
  return !reading.has(method)
}

/** The scope that a route needs. One that changes something and does not say which is for administrators only. */
export function scopeOf(method: string, { scope, signed }: FastifyContextConfig = {}): Scope | undefined {
  if (signed === true) return undefined
  return scope ?? (changesSomething(method) ? 'node:admin' : undefined)
}

/**
 * Who sends a request, by its token, and whether it may send one now.
 * @returns undefined when it has no token
 * @throws UnauthorizedError when it has one that is not valid: an answer for strangers would hide the mistake;
 * TooManyFailuresError, RateLimitError
 */
export async function identify(
  request: FastifyRequest,
  tokens: Tokens,
  rates: RequestRates,
): Promise<Caller | undefined> {
  const { authorization } = request.headers
  if (authorization === undefined || authorization === '') return undefined
  const [, token = ''] = /^Bearer +([^\s]+) *$/i.exec(authorization) ?? []
  await rates.attempt(request, token)
  const caller = tokens.find(token)
  if (caller === undefined) {
    await rates.failed(request)
    throw new UnauthorizedError()
  }
  rates.succeeded(request, token)
  return caller
}

/**
 * Refuses a request whose token does not have the scope its route needs. Called before any of its body is read.
 * @throws UnauthorizedError, InsufficientScopeError
 */
export function authorize({ method, caller, routeOptions }: FastifyRequest): void {
  const scope = scopeOf(method, routeOptions.config)
  if (scope === undefined) return
  if (caller === undefined) throw new UnauthorizedError()
  if (!caller.can(scope)) throw new InsufficientScopeError(scope)
}

/**
 * Whoever signs a request as a node must be that node, a member, and sign it for this node and once (docs/protocol.md).
 * @returns the node, or undefined for a request that claims to come from none
 * @throws UnsignedRequestError, TooManyRequestsError; RateLimitError for an address that sends many of those
 */
export async function memberOf(
  request: FastifyRequest,
  { endpoints, nodes }: Pick<Services, 'endpoints' | 'nodes'>,
  rates: RequestRates,
): Promise<NodeId | undefined> {
  if (request.headers['signature-input'] === undefined) return undefined
  try {
    return await nodes.check({ method: request.method, url: endpoints().http + request.url }, request.headers)
  } catch (error) {
    await rates.spend(request)
    throw error
  }
}
