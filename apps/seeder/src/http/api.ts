import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest as Incoming,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Caller, Scope } from '../access/index.ts'
import type { Once } from './idempotency/kept-answers.ts'

/** Fastify with routes typed by their zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token it comes with; undefined for a stranger. */
    caller: Caller | undefined
    /** The member of the network that signed it. */
    member: string | undefined
    /** Of a POST with an Idempotency-Key. */
    once: Once | undefined
  }

  interface FastifyContextConfig {
    /** What its token must be good for. A route that changes something and says nothing needs `node:admin`. */
    scope?: Scope
    /** It needs no token: its body is signed by whom it is about. */
    signed?: boolean
    /** Has limits of its own in place of the rates: web seeds, which peers ask for piece by piece. */
    unmetered?: boolean
    /**
     * What tells a POST from others with the same Idempotency-Key, its body when nothing is said; `form` when the handler
     * finds out, of forms; other bodies that the route takes tell themselves.
     */
    print?: 'form' | ((request: Incoming) => unknown)
    /** How `@fastify/cors` treats OPTIONS requests of this route. */
    cors?: { strictPreflight: boolean; preflightContinue: boolean }
    /** Of a request that changes something: it is taken too while the node is not ready, or its disk away. */
    always?: boolean
    /** The same, but only while the disk is away: it needs no stored bytes. */
    withoutStorage?: boolean
  }
}
