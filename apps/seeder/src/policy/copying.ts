import { z } from 'zod'

/** How lost copies are replaced. */
export const repairSettings = z.object({
  grace: z
    .int()
    .min(20)
    .max(604_800)
    .default(600)
    .describe('Seconds after its last heartbeat for which a node counts as live, and its copies are not replaced.'),
  rate: z
    .int()
    .min(0)
    .max(100_000_000_000)
    .default(20_000_000)
    .describe(
      'Most bytes per second fetched to replace lost copies and to mend damaged ones, over all items; 0 is no limit.',
    ),
  concurrent: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('Lost copies that are replaced, and damaged items that are mended, at a time.'),
})

/** What is fetched from others because somebody reads it here. */
export const readsSettings = z.object({
  maxBytes: z
    .int()
    .min(0)
    .default(10 * 2 ** 30)
    .describe('Most bytes of items fetched from other nodes because somebody reads them here; 0 fetches none.'),
  keepSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(60)
    .describe('Seconds for which such an item is kept after its last reader, unless this node is to hold it.'),
  waitSeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(30)
    .describe('Seconds in which other nodes must send something of what is read.'),
})
