import type { Assessment, Demand, View } from '@eldernode/core'
import type { JobView, Shortfall } from './port.ts'

/** What keeps an item from its target, for people. */
export function whyOf(
  demand: Demand,
  { level, copies, wanted }: Assessment,
  view: Pick<View, 'live' | 'claimsOf'>,
  job: JobView | undefined,
): Shortfall[] {
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
  if (wanted.length < demand.target) why.push(...tooFew(demand, wanted, view))
  return why
}

/** Why no more members are wanted than so few. */
function tooFew(
  { infoHash, size, target }: Demand,
  wanted: Assessment['wanted'],
  view: Pick<View, 'live' | 'claimsOf'>,
): Shortfall[] {
  const why: Shortfall[] = []
  const claims = new Map(view.claimsOf(infoHash).map(({ id, state }) => [id, state]))
  const staying = view.live.filter(({ state }) => state !== 'draining')
  const refusing = staying.filter(({ id }) => claims.get(id) === 'refused').length
  const full = staying.filter(
    ({ id, state, free }) => !wanted.includes(id) && !claims.has(id) && (state !== 'active' || free < size),
  ).length
  const asks = `it asks for ${target} copies`
  if (refusing > 0) {
    const detail = `${members(refusing)} refused it, by policy.* or because it failed or was removed there, and ${asks}: have them take it, or add members`
    why.push({ code: 'refused', detail })
  }
  if (full > 0) {
    const detail = `${members(full)} cannot take its ${size} bytes for want of room, and ${asks}: add storage there or raise storage.capacityBytes, or add members`
    why.push({ code: 'no_room', detail })
  }
  if (staying.length < target)
    why.push({
      code: 'too_few_members',
      detail: `${members(staying.length)} may hold copies, and ${asks}: add members`,
    })
  return why
}

const members = (count: number): string => (count === 1 ? '1 live member' : `${count} live members`)
