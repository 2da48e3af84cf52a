import type { NodeId, RequestGate } from '@eldernode/core'
import type { FastifyRequest } from 'fastify'
import type { AdminToken } from '../keys/index.ts'
import { UnauthorizedError } from './errors.ts'

const reading = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether requests of this method need the token. By method, so that a new route cannot forget to ask for it. */
export function changesSomething(method: string): boolean {
  return !reading.has(method)
}

/**
 * Refuses a request without the token. Called before any of its body is read.
 * @throws UnauthorizedError
 */
export function authorize(request: FastifyRequest, token: AdminToken): void {
  const [, candidate] = /^Bearer +([^\s]+) *$/i.exec(request.headers.authorization ?? '') ?? []
  if (candidate === undefined || !token.matches(candidate)) throw new UnauthorizedError()
}

/**
 * Whoever signs a request as a node must be that node, a member, and sign it for this node and once (docs/protocol.md).
 * @param base this node's base URL as its heartbeats give it
 * @returns the node, or undefined for a request that claims to come from none
 * @throws UnsignedRequestError, TooManyRequestsError
 */
export async function checkNode(request: FastifyRequest, base: string, gate: RequestGate): Promise<NodeId | undefined> {
  if (request.headers['signature-input'] === undefined) return undefined
  return await gate.check({ method: request.method, url: base + request.url }, request.headers)
}
