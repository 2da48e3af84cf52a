import { z } from 'zod'

const count = z.int().nonnegative()

/** Where a node can be reached: `http` base URL, `bittorrent` as `host:port`, `gun` as a ws:// or wss:// URL. */
export const endpointsSchema = z.object({
  http: z.url({ protocol: /^https?$/ }).max(300),
  bittorrent: z.string().max(300).optional(),
  gun: z
    .url({ protocol: /^wss?$/ })
    .max(300)
    .optional(),
})
export type Endpoints = z.infer<typeof endpointsSchema>

/** A node's sign of life (kind `hb`), every 15 s, kept in memory only. Sizes in bytes, rates in bytes per second. */
export const heartbeatSchema = z.object({
  endpoints: endpointsSchema,
  zone: z.string().max(64),
  operator: z.string().max(64),
  state: z.enum(['active', 'draining', 'full']),
  capacity: z.object({ bytes: count, used: count, free: count }),
  load: z.object({ up: count, down: count, connections: count }),
  counts: z.object({ items: count, awake: count, queue: count }),
  version: z.string().max(64),
})
export type Heartbeat = z.infer<typeof heartbeatSchema>
