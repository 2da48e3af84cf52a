import type { Assessment, Demand } from '@eldernode/core'
import type { JobView, Shortfall } from './port.ts'

/** What keeps an item from its target, for people. */
export function whyOf(demand: Demand, { level, copies, wanted }: Assessment, job: JobView | undefined): Shortfall[] {
  // A copy that is about to leave the network is one of those that the level counts.
  const lasts = !copies.some(({ draining }) => draining)
  if (lasts && (level === 'at-target' || level === 'surplus')) return []
  const why: Shortfall[] = copies.flatMap(({ id, state, proof, live, draining }): Shortfall[] => {
    if (!live) return [{ code: 'holder_gone', detail: `${id} was not heard from for longer than repair.grace` }]
    if (state === 'releasing') return [{ code: 'releasing', detail: `${id} is about to give its copy up` }]
    if (proof === 'failed') return [{ code: 'audit_failed', detail: `${id} did not give a piece that it claims` }]
    if (proof === 'unknown') return [{ code: 'unproven', detail: `no auditor has found the copy of ${id} yet` }]
    return draining ? [{ code: 'draining', detail: `${id} is about to leave the network` }] : []
  })
  const missing = wanted.filter((id) => !copies.some((copy) => copy.id === id))
  for (const id of missing) why.push({ code: 'copy_pending', detail: `${id} is to make a copy` })
  if (job?.reason !== undefined) why.push({ code: 'copy_failing', detail: `${job.reason.code}: ${job.reason.detail}` })
  if (copies.length === 0) why.push({ code: 'no_copy', detail: 'no member says to hold it' })
  if (wanted.length < demand.target) {
    const detail = `${wanted.length} live members may hold it and have room, and it asks for ${demand.target} copies: add members or room`
    why.push({ code: 'too_few_members', detail })
  }
  return why
}
