import { expect, it } from 'vitest'
import { z } from 'zod'
import { reloadSettings } from './reload.ts'

const hot = { hot: true }
const schema = z.object({
  data: z.string().default('/data').describe('Where.'),
  owner: z.string().optional().describe('Whose.'),
  swarm: z.object({
    port: z.int().default(1).describe('Port.'),
    limit: z.int().default(0).describe('Rate.').meta(hot),
    night: z.object({
      days: z
        .array(z.enum(['mon', 'tue']))
        .default([])
        .describe('Days.')
        .meta(hot),
    }),
  }),
})
const read = (input: unknown) => schema.parse(input)
const running = read({ swarm: { night: {} } })

it('takes hot settings and leaves the others as they were', () => {
  const other = read({ data: '/other', owner: 'me', swarm: { port: 2, limit: 5, night: { days: ['tue'] } } })
  expect(reloadSettings(schema, running, other)).toEqual({
    values: { data: '/data', swarm: { port: 1, limit: 5, night: { days: ['tue'] } } },
    applied: ['swarm.limit', 'swarm.night.days'],
    pending: ['data', 'owner', 'swarm.port'],
  })
  expect(running).toEqual(read({ swarm: { night: {} } }))
})

it('finds nothing when nothing changed, in lists neither', () => {
  const night = { swarm: { night: { days: ['mon'] } } }
  expect(reloadSettings(schema, read(night), read(night))).toEqual({ values: read(night), applied: [], pending: [] })
})
