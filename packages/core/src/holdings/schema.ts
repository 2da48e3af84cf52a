import { z } from 'zod'
import { infoHashSchema } from '../manifest/index.ts'

/** Infohashes in ascending order without repeats; about 1,500 fit a 64 KB envelope. */
const hashes = z
  .array(infoHashSchema)
  .max(1500)
  .refine((list) => list.every((hash, i) => i === 0 || list[i - 1]! < hash), 'must be sorted and without repeats')

/** What a node holds of one bucket (kind `h`): `held` means verified and on disk. */
export const holdingsSchema = z.object({ held: hashes, releasing: hashes, refused: hashes })
export type Holdings = z.infer<typeof holdingsSchema>
