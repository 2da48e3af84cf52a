import { readStored } from '../envelope/index.ts'
import type { NodeId } from '../identity/index.ts'
import { bodySchemas } from './guard.ts'
import type { Accepted, Bodies, Entry, GraphStore, Kind, ManifestFilter } from './port.ts'
import { parseSoul, soulPrefix } from './souls.ts'

const pageSize = 200

/** Reads a stored value. One that an older version took and this one would not is left out. */
export function readValue<K extends Kind>(kind: K, { soul, key, ts, value }: Entry): Accepted<Bodies[K]> | undefined {
  const { pub, body } = readStored(value)
  const parsed = bodySchemas[kind].safeParse(body)
  return parsed.success ? { kind, pub, ts, soul, key, body: parsed.data as Bodies[K] } : undefined
}

/**
 * What a retracted manifest's text contains. The text is canonical JSON (RFC 8785), where every quote of a string is
 * escaped, so that no name or tag can spell it; an unknown field could, which is why the manifest itself decides.
 */
const retractedText = '"state":"retracted"'

/** Who published which item, by publisher and then by infohash; with `retracted` at least the retracted ones. */
export function* storedManifests(
  store: GraphStore,
  network: string,
  { pub, bucket = '', retracted = false }: ManifestFilter,
): Iterable<{ pub: NodeId; infoHash: string }> {
  for (const soul of storedSouls(store, soulPrefix(network, 'm', pub) + bucket)) {
    const publisher = parseSoul(soul)?.pub
    if (publisher === undefined) continue
    for (let last: string | undefined = ''; last !== undefined;) {
      const keys: string[] = retracted
        ? store.keys(soul, last, pageSize, retractedText)
        : store.keys(soul, last, pageSize)
      for (const infoHash of keys) yield { pub: publisher, infoHash }
      last = keys.length < pageSize ? undefined : keys.at(-1)
    }
  }
}

/** Every stored entry whose soul begins with a prefix, read in pages. */
export function* storedEntries(store: GraphStore, prefix: string): Iterable<Entry> {
  for (const soul of storedSouls(store, prefix)) {
    let page = store.page(soul, '', pageSize)
    while (page.length > 0) {
      yield* page
      page = page.length < pageSize ? [] : store.page(soul, page.at(-1)?.key ?? '', pageSize)
    }
  }
}

function* storedSouls(store: GraphStore, prefix: string): Iterable<string> {
  let souls = store.souls(prefix, '', pageSize)
  while (souls.length > 0) {
    yield* souls
    souls = souls.length < pageSize ? [] : store.souls(prefix, souls.at(-1) ?? '', pageSize)
  }
}
