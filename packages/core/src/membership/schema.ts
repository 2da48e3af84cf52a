import { z } from 'zod'
import { nodeIdSchema } from '../identity/index.ts'

export const roleSchema = z.enum(['seeder', 'publisher', 'relay', 'tracker', 'auditor'])
/** What a member may do; an item's publisher needs `publisher`, a holder `seeder`. */
export type Role = z.infer<typeof roleSchema>

/** The owner's word on one member (kind `p`). Empty `roles` revoke it. Times in milliseconds. */
export const certificateSchema = z.object({
  member: nodeIdSchema,
  roles: z.array(roleSchema).max(5),
  operator: z.string().max(64),
  issuedAt: z.int().nonnegative(),
  expiresAt: z.int().nonnegative(),
  successor: nodeIdSchema.optional(),
})
export type Certificate = z.infer<typeof certificateSchema>

/** A network's next owner key (kind `o`), signed by the one before it. */
export const successionSchema = z.object({ owner: nodeIdSchema })
export type Succession = z.infer<typeof successionSchema>
