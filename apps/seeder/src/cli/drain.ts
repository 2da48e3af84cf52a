import { z } from 'zod'
import type { Client } from './client.ts'
import type { DrainAction } from './command.ts'
import { amountText, type Output } from './output.ts'

const amountSchema = z.object({ items: z.number(), bytes: z.number() })
const drainSchema = z.object({
  draining: z.boolean(),
  since: z.number().optional(),
  held: amountSchema.optional(),
  left: amountSchema.optional(),
  stuck: amountSchema.optional(),
  done: z.boolean().optional(),
})
type Drain = z.output<typeof drainSchema>

const methods = { start: 'POST', wait: 'POST', status: 'GET', stop: 'DELETE' } as const
const askAgainMs = 2000

/** @throws UnreachableError, RefusedError */
export async function drain(
  client: Client,
  { action, json }: { action: DrainAction; json: boolean },
  { out, note, pause }: Output,
): Promise<void> {
  let state = await client.ask(drainSchema, methods[action], '/v1/node/drain')
  let told = ''
  while (action === 'wait' && state.draining && state.done !== true) {
    const text = described(state)
    if (text !== told) note(text)
    told = text
    await pause(askAgainMs)
    state = await client.ask(drainSchema, 'GET', '/v1/node/drain')
  }
  out(json ? `${JSON.stringify(state, undefined, 2)}\n` : described(state))
}

function described({ draining, done, held, left, stuck }: Drain): string {
  if (!draining) return 'This node does not drain.\n'
  if (done === true) return 'Drained: the others have everything, and this node may be switched off for good.\n'
  const all = held === undefined ? 'all' : amountText(held)
  if (left === undefined) return `Draining: what is left of ${all} is still being looked at.\n`
  const none = stuck === undefined || stuck.items === 0
  return `Draining: ${amountText(left)} left of ${all}${none ? '' : `; too few others have room for ${amountText(stuck)}`}.\n`
}
