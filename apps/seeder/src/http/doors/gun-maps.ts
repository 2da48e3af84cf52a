import { InvalidInputError, type CompatData, type CompatMaps } from '@eldernode/core'
import { z } from 'zod'
import type { Api } from '../api.ts'
import { MapNodeNotFoundError, MapsOffError } from '../errors.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const soulSchema = z.string().min(1).max(200).describe('A node of a public map, such as albums/1 or _test/x.')
const plain = z.union([z.string(), z.number(), z.boolean(), z.null()])
const deepest = 32
const list = z
  .array(z.unknown())
  .refine((value) => isShallow(value), `must be at most ${deepest} levels deep`)
  .describe('Travels as JSON text.')
const link = z.strictObject({ '#': soulSchema })
const dataSchema = z
  .record(z.string().min(1).max(200), z.union([plain, list, link]))
  .refine((data) => Object.keys(data).length <= 100, 'must have at most 100 keys')

/** The public maps of stock GUN clients, by HTTP: `POST /put` and `GET /get`. */
export async function gunMapsDoor(app: Api, { graph, mapWritten }: Services): Promise<void> {
  const maps = (): CompatMaps => {
    if (graph.compat === undefined) throw new MapsOffError()
    return graph.compat
  }

  app.post(
    '/put',
    {
      bodyLimit: 2 * 2 ** 20,
      config: { scope: 'graph:write', withoutStorage: true },
      schema: {
        tags: ['doors'],
        summary: 'Write to a node of the public maps of GUN clients',
        body: z.strictObject({ soul: soulSchema, data: dataSchema }),
        response: {
          200: z.object({ success: z.literal(true), soul: z.string() }),
          ...problems(400, 401, 403, 409, 413, 415, 503),
        },
      },
    },
    async ({ body: { soul, data } }) => {
      const entries = Object.entries(data).map(([key, value]): [string, CompatData] => [
        key,
        Array.isArray(value) ? JSON.stringify(value) : value,
      ])
      if (soul.split('/', 1)[0] === 'eldernodes') throw new InvalidInputError('eldernodes write their own map')
      maps().put(soul, Object.fromEntries(entries))
      mapWritten(soul)
      return { success: true as const, soul }
    },
  )

  app.get(
    '/get',
    {
      schema: {
        tags: ['doors'],
        summary: 'Read a node of the public maps of GUN clients',
        description: 'At most its first 1,000 keys. Anybody may have written it.',
        querystring: z.object({ soul: soulSchema }),
        response: {
          200: z.object({
            success: z.literal(true),
            data: z.record(z.string(), z.union([plain, z.object({ '#': z.string() })])),
          }),
          ...problems(400, 404, 409),
        },
      },
    },
    async ({ query: { soul } }) => {
      const data = maps().get(soul)
      if (data === undefined) throw new MapNodeNotFoundError(soul)
      return { success: true as const, data }
    },
  )
}

/** Level by level: what is nested thousands of times must not exhaust the stack. */
function isShallow(value: unknown): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return false
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? (Object.values(one) as unknown[]) : []))
  }
  return true
}
