import { z } from 'zod'
import type { Client } from './client.ts'
import { amountText, type Output, printable } from './output.ts'

const amountSchema = z.object({ items: z.number(), bytes: z.number() })
const healthSchema = z.object({
  level: z.string(),
  min: z.number(),
  target: z.number(),
  proven: z.number(),
  survives: z.number(),
  why: z.array(z.object({ code: z.string(), detail: z.string() })),
})
const pageSchema = z.object({
  totals: z.looseObject({
    items: z.number(),
    bytes: z.number(),
    lost: amountSchema,
    belowMin: amountSchema,
    belowTarget: amountSchema,
    atTarget: amountSchema,
    surplus: amountSchema,
    oldestProof: z.number().optional(),
  }),
  alarms: z.array(z.object({ code: z.string(), detail: z.string(), since: z.number() })),
  items: z.array(healthSchema.extend({ id: z.string(), size: z.number() })),
  nextCursor: z.string().optional(),
})

const levels = [
  ['lost', 'lost'],
  ['below-min', 'belowMin'],
  ['below-target', 'belowTarget'],
  ['at-target', 'atTarget'],
  ['surplus', 'surplus'],
] as const

/** Totals and alarms; of one level every item too, however many there are. @throws UnreachableError, RefusedError */
export async function showReplication(
  client: Client,
  { level, json }: { level: string | undefined; json: boolean },
  { out }: Output,
): Promise<void> {
  const query = level === undefined ? 'limit=0' : `limit=1000&level=${encodeURIComponent(level)}`
  let page = await client.ask(pageSchema, 'GET', `/v1/replication?${query}`)
  if (json) return out(`${JSON.stringify(page, undefined, 2)}\n`)
  const { totals, alarms } = page
  out(`all           ${amountText(totals)}\n`)
  for (const [name, key] of levels) out(`${name.padEnd(12)}  ${amountText(totals[key])}\n`)
  if (totals.oldestProof !== undefined) out(`oldest proof  ${new Date(totals.oldestProof).toISOString()}\n`)
  for (const { code, detail, since } of alarms)
    out(`alarm ${printable(code)} since ${new Date(since).toISOString()}: ${printable(detail)}\n`)
  for (;;) {
    for (const item of page.items) out(`${lineOf(item)}\n`)
    if (page.nextCursor === undefined) return
    page = await client.ask(pageSchema, 'GET', `/v1/replication?${query}&cursor=${encodeURIComponent(page.nextCursor)}`)
  }
}

/** @throws UnreachableError, RefusedError */
export async function repair(client: Client, id: string, { out }: Output): Promise<void> {
  const schema = z.object({ id: z.string(), replication: healthSchema })
  const answer = await client.ask(schema, 'POST', `/v1/media/${encodeURIComponent(id)}/repair`)
  out(`${lineOf({ id: answer.id, ...answer.replication })}\n`)
}

function lineOf({ id, level, proven, target, survives, why }: z.output<typeof healthSchema> & { id: string }): string {
  const words = [printable(id), printable(level), `${proven} of ${target} proven`, `survives ${survives}`]
  return [...words, ...new Set(why.map(({ code }) => printable(code)))].join('  ')
}
