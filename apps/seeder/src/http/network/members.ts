import { type Certificate, certificateSchema, InvalidInputError, nodeIdSchema, roleSchema } from '@eldernode/core'
import { z } from 'zod'
import type { Api } from '../api.ts'
import { NotOwnerError } from '../errors.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const memberSchema = certificateSchema.meta({ id: 'Member' })

/** Ten years; a certificate that is no longer right is revoked by one with no roles. */
const standardTermMs = 10 * 365 * 86_400_000

const admissionSchema = z.object({
  member: nodeIdSchema.describe('The id of the node to admit, from its /v1/node.'),
  roles: z
    .array(roleSchema)
    .max(5)
    .default(['seeder', 'publisher', 'auditor'])
    .describe('What it may do; an empty list revokes its certificate.'),
  operator: z
    .string()
    .max(64)
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .default('')
    .describe('Who runs it.'),
  successor: nodeIdSchema
    .optional()
    .describe('The member that speaks for what this one published, when its key is lost; give it no roles then.'),
  expiresAt: z.int().optional().describe('Milliseconds since 1970; ten years from now if absent.'),
})

/** `/v1/members`: who belongs to the network. */
export async function memberRoutes(app: Api, { graph, network, now }: Services): Promise<void> {
  app.get(
    '/v1/members',
    {
      schema: {
        tags: ['network'],
        summary: "The owner's certificates, revoked ones (no roles) included",
        response: { 200: z.object({ members: z.array(memberSchema) }) },
      },
    },
    async () => ({ members: Array.from(graph.entries('p'), ({ body }) => body) }),
  )

  app.post(
    '/v1/members',
    {
      config: { scope: 'members:admin' },
      schema: {
        tags: ['network'],
        summary: 'Admit a node, or change or revoke its certificate',
        body: admissionSchema,
        response: { 201: memberSchema, ...problems(400, 409, 413, 415, 503) },
      },
    },
    async ({ body: { member, roles, operator, successor, expiresAt } }, reply) => {
      if (!network.owned) throw new NotOwnerError(network.owner)
      const issuedAt = now()
      const certificate: Certificate = {
        member,
        roles: [...new Set(roles)],
        operator,
        issuedAt,
        expiresAt: expiresAt ?? issuedAt + standardTermMs,
        ...(successor !== undefined && { successor }),
      }
      if (successor === member) throw new InvalidInputError('successor must be another node than member.')
      if (certificate.expiresAt <= issuedAt) throw new InvalidInputError('expiresAt must lie in the future.')
      await graph.publish('p', member, certificate)
      return await reply.code(201).send(certificate)
    },
  )
}
