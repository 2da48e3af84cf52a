import { readStored } from '../envelope/index.ts'
import type { NodeId } from '../identity/index.ts'
import { bodySchemas } from './guard.ts'
import type { Accepted, Bodies, Entry, GraphStore, Kind, ManifestFilter } from './port.ts'
import { layouts, parseSoul, soulPrefix } from './souls.ts'

const pageSize = 200

/** Reads a stored value. One that an older version took and this one would not is left out. */
export function readValue<K extends Kind>(kind: K, { soul, key, ts, value }: Entry): Accepted<Bodies[K]> | undefined {
  const { pub, body } = readStored(value)
  const parsed = bodySchemas[kind].safeParse(body)
  const hidden = parseSoul(soul)?.hidden ?? true
  return parsed.success ? { kind, pub, ts, soul, key, hidden, body: parsed.data as Bodies[K] } : undefined
}

/**
 * What a retracted manifest's text contains. The text is canonical JSON (RFC 8785), where every quote of a string is
 * escaped, so that no name or tag can spell it; an unknown field could, which is why the manifest itself decides.
 */
const retractedText = '"state":"retracted"'
/** The same of one that says when it expires. */
const expiringText = '"expiresAt":'

/** Every value of a kind, or those of one publisher; public ones first. */
export function* storedValues<K extends Kind>(
  store: GraphStore,
  network: string,
  kind: K,
  pub: NodeId | undefined,
): Iterable<Accepted<Bodies[K]>> {
  for (const hidden of layouts[kind].hides ? [false, true] : [false]) {
    for (const entry of storedEntries(store, soulPrefix(network, kind, hidden, pub))) {
      const accepted = readValue(kind, entry)
      if (accepted !== undefined) yield accepted
    }
  }
}

/** A publisher's grants for one item. */
export function* storedGrants(
  store: GraphStore,
  network: string,
  pub: NodeId,
  infoHash: string,
): Iterable<Accepted<Bodies['g']>> {
  for (const hidden of [false, true]) {
    const soul = soulPrefix(network, 'g', hidden, pub) + infoHash.slice(0, 2)
    for (const entry of storedUnder(store, soul, `${infoHash}.`)) {
      const accepted = readValue('g', entry)
      if (accepted !== undefined) yield accepted
    }
  }
}

export interface Published {
  pub: NodeId
  infoHash: string
}

/**
 * Who published which item, public or not, by publisher and then by infohash; with `retracted` or
 * `expiring` at least those that are.
 */
export function* storedManifests(store: GraphStore, network: string, filter: ManifestFilter): Iterable<Published> {
  const shown = manifestsAt(store, network, false, filter)
  const hidden = manifestsAt(store, network, true, filter)
  let [one, other] = [shown.next(), hidden.next()]
  while (one.done !== true && other.done !== true) {
    const order = compare(one.value, other.value)
    yield order <= 0 ? one.value : other.value
    if (order <= 0) one = shown.next()
    if (order >= 0) other = hidden.next()
  }
  if (one.done !== true) yield one.value
  if (other.done !== true) yield other.value
  yield* shown
  yield* hidden
}

function compare(a: Published, b: Published): number {
  if (a.pub !== b.pub) return a.pub < b.pub ? -1 : 1
  return a.infoHash < b.infoHash ? -1 : Number(a.infoHash > b.infoHash)
}

function* manifestsAt(
  store: GraphStore,
  network: string,
  hidden: boolean,
  { pub, bucket = '', retracted = false, expiring = false }: ManifestFilter,
): Generator<Published, undefined> {
  const text = retracted ? retractedText : expiring ? expiringText : undefined
  for (const soul of storedSouls(store, soulPrefix(network, 'm', hidden, pub) + bucket)) {
    const publisher = parseSoul(soul)?.pub
    if (publisher === undefined) continue
    for (let last: string | undefined = ''; last !== undefined;) {
      const keys: string[] =
        text === undefined ? store.keys(soul, last, pageSize) : store.keys(soul, last, pageSize, text)
      for (const infoHash of keys) yield { pub: publisher, infoHash }
      last = keys.length < pageSize ? undefined : keys.at(-1)
    }
  }
  return undefined
}

/** The entries of one soul whose key begins with a text, read in pages. */
function* storedUnder(store: GraphStore, soul: string, start: string): Iterable<Entry> {
  let page = store.page(soul, start, pageSize)
  while (page.length > 0) {
    for (const entry of page) {
      if (!entry.key.startsWith(start)) return
      yield entry
    }
    page = page.length < pageSize ? [] : store.page(soul, page.at(-1)?.key ?? '', pageSize)
  }
}

/** Every stored entry whose soul begins with a prefix, read in pages. */
function* storedEntries(store: GraphStore, prefix: string): Iterable<Entry> {
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
