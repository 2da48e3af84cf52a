import type { CompatData } from '@eldernode/core'
import { z } from 'zod'
import { readMagnet } from '../imports/index.ts'

/** What a browser that seeds an album itself asks eldernodes for. Everything in it is foreign. */
const requestSchema = z.object({
  albumId: z.string().min(1).max(200),
  magnetURI: z.string().min(1).max(8000),
  status: z.string().max(40),
})

export interface SeedRequest {
  magnet: string
  infoHash: string
  status: string
}

/** Reads a node of the map `seed-requests`; `undefined` for what is none, or not yet whole. */
export function readRequest(data: Record<string, CompatData> | undefined): SeedRequest | undefined {
  const parsed = requestSchema.safeParse(data)
  if (!parsed.success) return undefined
  const { magnetURI, status } = parsed.data
  try {
    return { magnet: magnetURI, infoHash: readMagnet(magnetURI).infoHash, status }
  } catch {
    return undefined
  }
}
