import { z } from 'zod'
import { infoHashSchema } from '../manifest/index.ts'

/**
 * The network owner's word that nobody serves an item (kind `d`), whoever published it; `lifted` takes it back. Never
 * evicted. Times in milliseconds: from `purgeAfter` on holders delete the bytes.
 */
export const denialSchema = z.object({
  infoHash: infoHashSchema,
  state: z.enum(['denied', 'lifted']),
  reason: z.string().max(200).optional(),
  purgeAfter: z.int().nonnegative().optional(),
})
export type Denial = z.infer<typeof denialSchema>
