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
