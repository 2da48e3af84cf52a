import { toBase64url } from '../../identity/index.ts'
import type { CompatValue } from '../compat/port.ts'
import type { GunMessage, GunPut } from './gun.ts'

/** A value as a peer claims it: GUN's state beside the envelope's text. */
export interface Candidate {
  soul: string
  key: string
  state: number
  value: string
}

/** The GUN form of values. */
export function putOf(values: readonly (Omit<Candidate, 'value'> & { value: unknown })[]): GunPut {
  const put: GunPut = Object.create(null) as GunPut
  for (const { soul, key, state, value } of values) {
    const node = (put[soul] ??= { _: { '#': soul, '>': {} } })
    const meta = node['_'] as { '>': Record<string, number> }
    meta['>'][key] = state
    node[key] = value
  }
  return put
}

/** A message of a peer, reduced to what it may ask or tell. */
export type Rebuilt =
  | { type: 'get'; message: GunMessage & { get: NonNullable<GunMessage['get']> } }
  | { type: 'put'; id: string; values: Candidate[]; compat?: CompatValue[] }
  | { type: 'dam'; message: GunMessage }
  | { type: 'nothing' }

/** A new GUN message id. */
export function messageId(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(9)))
}
