import type { CompatData, CompatValue } from './port.ts'
import { mapOf } from './maps.ts'

/** What may lie under a key: text, a finite number, a truth value, nothing, or a link that stays within the maps. */
export function isData(value: unknown): value is CompatData {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || Array.isArray(value)) return false
  const target: unknown = Object.hasOwn(value, '#') ? (value as { '#': unknown })['#'] : undefined
  return Object.keys(value).length === 1 && typeof target === 'string' && mapOf(target) !== undefined
}

/** A value as GUN says it. */
export function spoken({ soul, key, state, value }: CompatValue): Omit<CompatValue, 'value'> & { value: unknown } {
  return { soul, key, state, value: JSON.parse(value) }
}

/** GUN's rule (HAM): the greater state wins, and of one state the greater text. */
export function replaces(value: CompatValue, present: CompatValue | undefined): boolean {
  if (present === undefined || value.state !== present.state)
    return present === undefined || value.state > present.state
  return value.value > present.value
}
