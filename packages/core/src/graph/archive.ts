import { readStored } from '../envelope/index.ts'
import { bodySchemas } from './guard.ts'
import type { Accepted, Bodies, Entry, GraphStore, Kind } from './port.ts'

const pageSize = 200

/** Reads a stored value. One that an older version took and this one would not is left out. */
export function readValue<K extends Kind>(kind: K, { soul, key, ts, value }: Entry): Accepted<Bodies[K]> | undefined {
  const { pub, body } = readStored(value)
  const parsed = bodySchemas[kind].safeParse(body)
  return parsed.success ? { kind, pub, ts, soul, key, body: parsed.data as Bodies[K] } : undefined
}

/** Every stored entry whose soul begins with a prefix, read in pages. */
export function* storedEntries(store: GraphStore, prefix: string): Iterable<Entry> {
  let souls = store.souls(prefix, '', pageSize)
  while (souls.length > 0) {
    for (const soul of souls) {
      let page = store.page(soul, '', pageSize)
      while (page.length > 0) {
        yield* page
        page = page.length < pageSize ? [] : store.page(soul, page.at(-1)?.key ?? '', pageSize)
      }
    }
    souls = souls.length < pageSize ? [] : store.souls(prefix, souls.at(-1) ?? '', pageSize)
  }
}
