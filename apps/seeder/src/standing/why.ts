import type { ItemHealth } from './port.ts'

/** One thing that keeps an item from its target. Stable words. */
export const whyCodes = [
  'never_copied',
  'not_enough_members',
  'copy_missing',
  'copy_failing',
  'unproven',
  'audit_failed',
  'holder_silent',
  'holder_gone',
  'releasing',
] as const

export interface Why {
  code: (typeof whyCodes)[number]
  /** The member that it is about. */
  node?: string
  /** The error code of the last try to copy it here. */
  reason?: string
}

/** Why an item has fewer proven copies than it asks for; nothing when it has them. */
export function whyOf({ level, publishers, target, wanted, copies, job }: ItemHealth, self: string): Why[] {
  if (level === 'at-target' || level === 'surplus') return []
  const causes: Why[] = copies.flatMap(({ id, state, proof, live, suspected }): Why[] => {
    if (!live) return [{ code: 'holder_gone', node: id }]
    if (state === 'releasing') return [{ code: 'releasing', node: id }]
    if (proof === 'failed') return [{ code: 'audit_failed', node: id }]
    if (proof === 'unknown') return [{ code: 'unproven', node: id }]
    return suspected ? [{ code: 'holder_silent', node: id }] : []
  })
  const holders = new Set(copies.map(({ id }) => id))
  for (const node of wanted) {
    if (holders.has(node)) continue
    const reason = node === self ? job?.reason : undefined
    causes.push(reason === undefined ? { code: 'copy_missing', node } : { code: 'copy_failing', node, reason })
  }
  if (wanted.length < target) causes.push({ code: 'not_enough_members' })
  if (copies.every(({ id }) => publishers.includes(id))) causes.push({ code: 'never_copied' })
  return causes
}
