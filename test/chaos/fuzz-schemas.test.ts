import * as core from '@eldernode/core'
import { configSchema } from '@eldernode/seeder/config'
import { trackerSchema } from '@eldernode/tracker/config'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { JsonSchema, OpenApi } from '../harness/fuzz/document.ts'
import { bodiesOf, nastyTexts } from '../harness/fuzz/json-values.ts'

const wanted = process.env['ELDERNODE_FUZZ_REQUESTS']
const runs = Number(wanted ?? 10_000) / 50
const seed = wanted === undefined ? 20_261_121 : Date.now() % 2 ** 31

const schemas = Object.entries({ ...core, configSchema, trackerSchema }).flatMap(([name, value]) =>
  value instanceof z.ZodType ? [[name, value] as const] : [],
)

test.each(schemas)('%s takes or refuses whatever it is given, in no time', (_name, schema) => {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as unknown as JsonSchema
  const document: OpenApi = { paths: {}, components: { schemas: {} } }
  const property = fc.property(fc.oneof(bodiesOf(described, document), nastyTexts), (value) => {
    const began = performance.now()
    const first = schema.safeParse(value)
    expect(performance.now() - began).toBeLessThan(1000)
    // What was taken is taken again when it comes back from where it was written to.
    const again = !first.success || schema.safeParse(JSON.parse(JSON.stringify(value))).success
    expect(again).toBe(true)
  })
  fc.assert(property, { numRuns: runs, seed })
})

test('there are schemas to try', () => {
  expect(schemas.length).toBeGreaterThan(15)
})
