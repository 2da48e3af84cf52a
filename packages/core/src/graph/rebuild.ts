import { mapOf } from './compat/maps.ts'
import type { CompatValue } from './compat/port.ts'
import { isData } from './compat/value.ts'
import { limits } from './limits.ts'
import { parseSoul } from './souls.ts'
import type { Place } from './souls.ts'
import type { Candidate, Rebuilt } from './wire/message.ts'

/** Why something was refused; the names are stable, operators see them in the metrics. */
export type Refuse = (reason: string) => undefined

const inherited: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype))
const gunId = /^[A-Za-z0-9._~-]+$/
const nothing: Rebuilt = { type: 'nothing' }

/** What a link may speak of. */
export interface Reach {
  network: string
  /** Whether it may name what is not public: only who has proven membership may. */
  hidden: boolean
  /** Whether this node keeps the public maps of other clients. */
  compat?: boolean
}

/**
 * Builds a new message from the allowed fields of a foreign one; nothing of the original survives by reference. What
 * GUN would look up in its own tables (ids, souls, keys) may not be named like a property of every object.
 * @returns `nothing` when there is nothing to hand on; each broken rule was told to `refuse`
 */
export function rebuild(foreign: unknown, reach: Reach, refuse: Refuse): Rebuilt {
  const message = record(foreign)
  if (message === undefined) return no(refuse, 'shape')
  const id = message['#']
  if (!isId(id)) return no(refuse, 'id')
  if (message['dam'] !== undefined) return dam(id, message, refuse)
  if (message['put'] !== undefined && message['put'] !== null) {
    const { values, compat } = candidates(message['put'], reach, refuse)
    if (compat.length > 0) return { type: 'put', id, values, compat }
    return values.length === 0 ? nothing : { type: 'put', id, values }
  }
  if (message['get'] !== undefined) return get(id, message, reach, refuse)
  // Acknowledgements and "not found": this node asks GUN peers nothing, so it awaits no answer.
  return nothing
}

function dam(id: string, message: Record<string, unknown>, refuse: Refuse): Rebuilt {
  const { dam: name, pid, '@': to } = message
  if (name === 'hi' || name === '!') return nothing
  if (name !== '?') return no(refuse, 'dam')
  if (pid !== undefined && !isId(pid)) return no(refuse, 'id')
  if (to !== undefined && !isId(to)) return no(refuse, 'id')
  return {
    type: 'dam',
    message: { '#': id, dam: '?', ...(pid !== undefined && { pid }), ...(to !== undefined && { '@': to }) },
  }
}

function get(id: string, message: Record<string, unknown>, reach: Reach, refuse: Refuse): Rebuilt {
  const asked = record(message['get'])
  const soul = asked?.['#']
  const key = asked?.['.']
  const hash = message['##']
  if (asked === undefined || typeof soul !== 'string') return no(refuse, 'get')
  if (!isCompat(soul, reach)) {
    const place = placeOf(soul, reach.network)
    if (place === undefined) return no(refuse, 'get_soul')
    if (place.hidden && !reach.hidden) return no(refuse, 'hidden')
  }
  if (key !== undefined && !isKey(key)) return no(refuse, 'get_key')
  return {
    type: 'get',
    message: {
      '#': id,
      // GUN joins the hash to an id and looks the result up: as a number it cannot spell a name.
      ...(typeof hash === 'number' && Number.isSafeInteger(hash) && { '##': hash }),
      get: { '#': soul, ...(key !== undefined && { '.': key }) },
    },
  }
}

interface Candidates {
  values: Candidate[]
  compat: CompatValue[]
}

function candidates(foreign: unknown, reach: Reach, refuse: Refuse): Candidates {
  const put = record(foreign)
  if (put === undefined) return none(refuse, 'shape')
  const souls = Object.keys(put)
  if (souls.length > limits.souls) return none(refuse, 'souls')
  const found: Candidates = { values: [], compat: [] }
  for (const soul of souls) {
    const node = record(put[soul])
    const meta = record(node?.['_'])
    const states = record(meta?.['>'])
    const compat = isCompat(soul, reach)
    const place = placeOf(soul, reach.network)
    if (node === undefined || meta?.['#'] !== soul || states === undefined) refuse('node')
    else if (place === undefined && !compat) refuse('soul')
    else if (place?.hidden === true && !reach.hidden) refuse('hidden')
    else {
      const keys = Object.keys(node)
      if (keys.length > limits.keys + 1) refuse('keys')
      else {
        for (const key of keys) {
          const foreignValue = { soul, key, state: own(states, key), value: node[key] }
          if (compat) collectCompat(found.compat, foreignValue, refuse)
          else collect(found.values, foreignValue, refuse)
        }
      }
    }
    if (found.values.length + found.compat.length > limits.values) return none(refuse, 'values')
  }
  return found
}

function isCompat(soul: string, { compat = false }: Reach): boolean {
  return compat && mapOf(soul) !== undefined
}

function collectCompat(into: CompatValue[], foreign: Record<keyof Candidate, unknown>, refuse: Refuse): void {
  const { soul, key, state, value } = foreign
  if (key === '_') return
  if (typeof soul !== 'string' || !isKey(key)) return refuse('key')
  if (typeof state !== 'number' || !(state > 0 && state <= Number.MAX_SAFE_INTEGER)) return refuse('state')
  if (!isData(value)) return refuse('value')
  into.push({ soul, key, state, value: JSON.stringify(value) })
}

function collect(into: Candidate[], foreign: Record<keyof Candidate, unknown>, refuse: Refuse): void {
  const { soul, key, state, value } = foreign
  if (key === '_') return
  if (typeof soul !== 'string' || !isKey(key)) return refuse('key')
  if (typeof state !== 'number' || !Number.isSafeInteger(state) || state <= 0) return refuse('state')
  // Only text: no null, number or boolean is signed, and no link ({'#'}) leads anywhere.
  if (typeof value !== 'string') return refuse('value')
  into.push({ soul, key, state, value })
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= limits.id && gunId.test(value) && !inherited.has(value)
}

function placeOf(soul: string, network: string): Place | undefined {
  if (soul.length > limits.soul || inherited.has(soul)) return undefined
  const place = parseSoul(soul)
  return place?.network === network ? place : undefined
}

function isKey(key: unknown): key is string {
  return typeof key === 'string' && key.length > 0 && key.length <= limits.key && !inherited.has(key)
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function own(from: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(from, key) ? from[key] : undefined
}

function no(refuse: Refuse, reason: string): Rebuilt {
  refuse(reason)
  return nothing
}

function none(refuse: Refuse, reason: string): Candidates {
  refuse(reason)
  return { values: [], compat: [] }
}
