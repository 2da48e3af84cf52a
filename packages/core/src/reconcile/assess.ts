import type { Claim, HoldingState } from '../holdings/index.ts'
import type { NodeId } from '../identity/index.ts'
import { wantedHolders } from '../placement/index.ts'
import type { Candidate } from '../placement/index.ts'
import type { Assessment, Copy, Demand, View } from './port.ts'

/** How an item stands in one view. */
export function assess(demand: Demand, view: View): Assessment {
  const { infoHash, min, target } = demand
  const claims = view.claimsOf(infoHash)
  const wanted = wantedHolders(demand, view.live, {
    holds: (id) => holds(stateIn(claims, id)),
    refused: (id) => stateIn(claims, id) === 'refused',
    // What is proven in the meantime counts at once.
    vain: (id) => {
      const times = view.vain(id, infoHash)
      return times > 0 && view.proofOf(id, infoHash) === 'proven' ? 0 : times
    },
  })
  const copies: Copy[] = []
  /** Whose copies count. */
  const sure: Candidate[] = []
  let live = 0
  for (const { id, state } of claims) {
    if (state === 'refused') continue
    const member = view.member(id)
    const copy: Copy = {
      id,
      state,
      proof: view.proofOf(id, infoHash),
      live: member !== undefined,
      suspected: view.isSuspected(id),
      draining: member?.state === 'draining',
    }
    copies.push(copy)
    if (copy.live) live++
    if (member !== undefined && counts(copy)) sure.push(member)
  }
  const proven = sure.length
  const missing = Math.max(0, target - proven)
  const level =
    proven === 0
      ? 'lost'
      : proven < min
        ? 'below-min'
        : missing > 0
          ? 'below-target'
          : live > target
            ? 'surplus'
            : 'at-target'
  return { wanted, copies, proven, missing, level, survives: survives(sure) }
}

/** Whether a copy stands for one of those that an item asks for. */
export function counts({ live, proof, state }: Copy): boolean {
  return live && proof === 'proven' && state === 'held'
}

function stateIn(claims: readonly Claim[], id: NodeId): HoldingState | undefined {
  for (const claim of claims) if (claim.id === id) return claim.state
  return undefined
}

function holds(state: HoldingState | undefined): boolean {
  return state === 'held' || state === 'releasing'
}

/** A member that names no zone or operator shares it with nobody. */
function survives(holders: readonly Candidate[]): number {
  const zones: string[] = []
  const operators: string[] = []
  for (const { zone, operator } of holders) {
    if (zone === '' || !zones.includes(zone)) zones.push(zone)
    if (operator === '' || !operators.includes(operator)) operators.push(operator)
  }
  return Math.max(0, Math.min(zones.length, operators.length) - 1)
}
