import { InvalidInputError } from '@eldernode/core'
import { z } from 'zod'
import { scopeSchema, TokenExpiry, UnauthorizedError } from '../../access/index.ts'
import type { Api } from '../api.ts'
import type { Bearers } from './bearers.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), 'must have no control characters')

/** As it appears in paths; empty is the operator, whom no token can name. */
export const ownerSchema = text(128).min(1)

const termsSchema = z.strictObject({
  owner: ownerSchema.describe('Whose items it publishes and may change.'),
  label: text(100).default('').describe('What it is for.'),
  scopes: z.array(scopeSchema).min(1).max(20).describe('What it may do.'),
  expiresAt: z
    .union([z.int(), z.iso.datetime({ offset: true }).transform((value) => Date.parse(value))])
    .optional()
    .describe('When it ends: ISO 8601, or milliseconds since 1970. Without it, when it is revoked.'),
  reader: z
    .string()
    .regex(/^age1[02-9ac-hj-np-z]{58}$/, 'must be an age recipient (age1...)')
    .optional()
    .describe('An age recipient: private items granted to it can be read with the scope media:read-private.'),
})

const tokenSchema = z
  .object({
    id: z.string(),
    owner: z.string(),
    label: z.string(),
    scopes: z.array(scopeSchema),
    reader: z.string().optional(),
    createdAt: z.int().describe('Milliseconds since 1970.'),
    expiresAt: z.int().optional(),
  })
  .meta({ id: 'Token' })

const newTokenSchema = tokenSchema.extend({ token: z.string().describe('It is shown this once.') }).meta({
  id: 'NewToken',
})

const callerSchema = z
  .object({
    owner: z.string().describe("Empty for the operator's token in admin.token."),
    scopes: z.array(scopeSchema),
    id: z.string().optional().describe("The token's; that in admin.token has none."),
  })
  .meta({ id: 'Caller' })

/** `/v1/tokens`: who may do what. */
export async function tokenRoutes(
  app: Api,
  { tokens, library, now, imports, uploads, events, log }: Services,
  bearers: Bearers,
): Promise<void> {
  const endOf = async (id: string) => {
    await imports.revoke(id)
    await uploads.revoke(id)
  }
  const expiry = new TokenExpiry({ store: library.tokens, ended: endOf, now, log })
  app.addHook('onReady', () => expiry.look())
  app.addHook('onClose', () => expiry.close())

  app.post(
    '/v1/tokens',
    {
      config: { always: true },
      schema: {
        tags: ['access'],
        summary: 'Make a token',
        description: 'Only its hash is kept: what is lost cannot be shown again, only revoked.',
        body: termsSchema,
        response: { 201: newTokenSchema, ...problems(400, 409, 413, 415) },
      },
    },
    async ({ body }, reply) => {
      if (body.expiresAt !== undefined && body.expiresAt <= now())
        throw new InvalidInputError('expiresAt must lie in the future.')
      const { token, info } = tokens.create(body)
      events.webhooks.resume(body.owner)
      if (body.expiresAt !== undefined) expiry.look()
      return await reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...info, token })
    },
  )

  app.get(
    '/v1/tokens',
    {
      config: { scope: 'node:admin' },
      schema: {
        tags: ['access'],
        summary: 'All tokens, the newest first, expired ones for 30 days',
        response: { 200: z.object({ tokens: z.array(tokenSchema) }) },
      },
    },
    async () => ({ tokens: tokens.list() }),
  )

  app.get(
    '/v1/tokens/self',
    {
      schema: {
        tags: ['access'],
        summary: 'Whose the token of this request is, and what it may do',
        security: [{ token: [] }],
        response: { 200: callerSchema },
      },
    },
    async ({ caller }) => {
      if (caller === undefined) throw new UnauthorizedError()
      return { owner: caller.owner, scopes: [...caller.scopes], ...(caller.token && { id: caller.token }) }
    },
  )

  app.delete(
    '/v1/tokens/:id',
    {
      config: { always: true },
      schema: {
        tags: ['access'],
        summary: 'Revoke a token',
        description:
          'What is under way with it, such as uploads, imports and streams of events, ends as well. Webhooks of an owner who has no other token for them become inactive, and what they were still to be sent is dropped.',
        params: z.object({ id: z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits') }),
        response: { 204: z.undefined().describe('It is good for nothing from here on.'), ...problems(400, 404) },
      },
    },
    async ({ params: { id } }, reply) => {
      const owner = tokens.revoke(id)
      // It may be the one of this very request.
      reply.raw.once('close', () => bearers.end(id))
      events.webhooks.revoke(owner)
      await endOf(id)
      return await reply.code(204).send()
    },
  )
}
