import { z } from 'zod'
import { infoHashSchema } from '../manifest/index.ts'

/**
 * What opens an item for one reader (kind `g`), signed by the item's publisher. `reader` is the second half of its key,
 * `wrapped` an age file for the reader, base64, whose content is the item's identity (`AGE-SECRET-KEY-1...`). Without
 * it the grant was withdrawn; what its reader has seen, it has seen.
 */
export const grantSchema = z.object({
  infoHash: infoHashSchema,
  reader: z.string().regex(/^[0-9a-f]{32}$/),
  wrapped: z.base64().max(6000).optional(),
})
export type Grant = z.infer<typeof grantSchema>
