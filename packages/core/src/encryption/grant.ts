import { z } from 'zod'
import { infoHashSchema } from '../manifest/index.ts'

/**
 * What lets one reader open an encrypted item (kind `g`). `reader` is the first 16 bytes of
 * SHA-256(infohash ‖ recipient) in hex; `wrapped` an age file for that recipient, base64, with the item's own identity
 * (`AGE-SECRET-KEY-1…`). Without it the reader was removed.
 */
export const grantSchema = z.object({
  infoHash: infoHashSchema,
  reader: z.string().regex(/^[0-9a-f]{32}$/),
  wrapped: z.base64().max(6000).optional(),
})
export type Grant = z.infer<typeof grantSchema>
