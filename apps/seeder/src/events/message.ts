import { accessSchema } from '@eldernode/core'
import { z } from 'zod'
import type { EventRecord } from '../library/index.ts'
import { hearsOwner, type Listener } from './audience.ts'
import { eventTypes } from './port.ts'

export const eventTypeSchema = z.enum(eventTypes).meta({ id: 'EventType' })

/** An event as streams and webhooks tell it. */
export const messageSchema = z
  .object({
    type: eventTypeSchema,
    timestamp: z.string().describe('When it happened (RFC 3339).'),
    data: z
      .object({
        event: z.int().describe("The event's number on this node."),
        infoHash: z.string().optional(),
        access: accessSchema.optional(),
        owner: z.string().optional().describe('Of the item; told to its owner and to administrators.'),
      })
      .catchall(z.union([z.string(), z.number()])),
  })
  .meta({ id: 'Event' })
export type Message = z.output<typeof messageSchema>

export function messageOf({ id, type, infoHash, owner, access, at, data }: EventRecord, listener: Listener): Message {
  return {
    type: eventTypeSchema.parse(type),
    timestamp: new Date(at).toISOString(),
    data: {
      ...data,
      event: id,
      ...(infoHash !== undefined && { infoHash, access }),
      ...(hearsOwner(listener, owner) && { owner }),
    },
  }
}
