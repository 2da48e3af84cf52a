import { sha256 as hasher } from '@noble/hashes/sha2.js'
import { sha256, toBase64url } from '../identity/index.ts'
import type { NodeId } from '../identity/index.ts'
import { Breath } from './breath.ts'
import type { Admitted } from './guard.ts'
import { limits } from './limits.ts'
import type { GraphStore } from './port.ts'
import { groupOf, hiddenGroup, layouts, parseSoul, readGroup, soulPrefix } from './souls.ts'
import type { Group, Place } from './souls.ts'

const utf8 = new TextEncoder()
const separator = Uint8Array.of(0)
const pageSize = 200
const kinds = (Object.keys(layouts) as (keyof typeof layouts)[]).filter((kind) => layouts[kind].stored)

function prefixes(network: string): string[] {
  const hidden = kinds.filter((kind) => layouts[kind].hides).map((kind) => soulPrefix(network, kind, true))
  return [...kinds.map((kind) => soulPrefix(network, kind, false)), ...hidden]
}

interface Bucket {
  /** Absent while values have changed since it was computed. */
  digest: string | undefined
  /** Rises with each change, so that a digest computed meanwhile is not kept. */
  version: number
  values: number
  bytes: number
}

interface GroupState {
  souls: Map<string, Bucket>
  digest: string | undefined
  values: number
  bytes: number
}

/**
 * What this node holds, in digests that two nodes can compare: one for each group, made of one for each bucket (a
 * soul). Only what changed is read again, and long work lets other events in.
 *
 * A bucket's digest is SHA-256 over its entries in key order, each `key 0 ts 0 SHA-256(value)` with `ts` in decimal; a
 * group's is over its buckets in soul order, each `soul 0 digest 0`. Both are cut to 22 characters of base64url.
 */
export class Sums {
  readonly #network: string
  readonly #store: GraphStore
  readonly #groups = new Map<Group, GroupState>()

  constructor({ network, store }: { network: string; store: GraphStore }) {
    this.#network = network
    this.#store = store
  }

  /** Learns which souls the store has. @returns the newest time among `own`'s values, 0 when there are none */
  async build(own: NodeId): Promise<number> {
    const breath = new Breath()
    for (const prefix of prefixes(this.#network)) {
      let souls = this.#store.souls(prefix, '', pageSize)
      while (souls.length > 0) {
        for (const soul of souls) this.#bucketOf(soul)
        await breath.take()
        souls = souls.length < pageSize ? [] : this.#store.souls(prefix, souls.at(-1) ?? '', pageSize)
      }
    }
    let newest = 0
    for (const hidden of [false, true]) {
      for (const soul of this.#groups.get(hiddenGroup(own, hidden))?.souls.keys() ?? []) {
        newest = Math.max(newest, this.#store.newest(soul))
        await breath.take()
      }
    }
    return newest
  }

  /** Takes notice of values that the store has taken. */
  changed(batch: readonly Admitted[]): void {
    for (const { entry } of batch) {
      const found = this.#bucketOf(entry.soul)
      if (found === undefined) continue
      const { group, bucket } = found
      bucket.digest = group.digest = undefined
      bucket.version++
      // A replaced value counts twice until the bucket is read again: a quota is met early, never late.
      bucket.values++
      bucket.bytes += entry.value.length
      group.values++
      group.bytes += entry.value.length
    }
  }

  /** One publisher's quota is for what is public and what is not together. */
  hasRoom(place: Place, bytes: number): boolean {
    const group = this.#groups.get(groupOf(place))
    if (group === undefined && this.#groups.size >= limits.publishers) return false
    const other = this.#groups.get(groupOf({ ...place, hidden: !place.hidden }))
    const held = (group?.bytes ?? 0) + (other?.bytes ?? 0)
    return (group?.values ?? 0) + (other?.values ?? 0) < limits.quotaValues && held + bytes <= limits.quotaBytes
  }

  /** Everybody of whom values are held. */
  publishers(): NodeId[] {
    const names = [...this.#groups.keys()].map((group) => readGroup(group).name)
    return [...new Set(names)].filter((name) => name !== 'owner')
  }

  /** @param hidden whether to name the groups of what is not public too */
  groups(hidden: boolean): Group[] {
    return [...this.#groups.keys()].filter((group) => hidden || !readGroup(group).hidden).toSorted()
  }

  /** The group's digest, or `undefined` when nothing is held of it. */
  async digest(name: Group): Promise<string | undefined> {
    const group = this.#groups.get(name)
    if (group === undefined || group.digest !== undefined) return group?.digest
    const versions = versionsOf(group)
    const hash = hasher.create()
    for (const [soul, digest] of await this.buckets(name)) {
      hash.update(utf8.encode(soul)).update(separator).update(utf8.encode(digest)).update(separator)
    }
    const digest = cut(hash.digest())
    if (versionsOf(group) === versions) group.digest = digest
    return digest
  }

  /** Each bucket's digest, in soul order. */
  async buckets(name: Group): Promise<[soul: string, digest: string][]> {
    const group = this.#groups.get(name)
    if (group === undefined) return []
    const breath = new Breath()
    const result: [string, string][] = []
    for (const soul of [...group.souls.keys()].toSorted()) {
      const bucket = group.souls.get(soul)
      if (bucket !== undefined) result.push([soul, bucket.digest ?? (await this.#read(soul, bucket, group, breath))])
    }
    return result
  }

  /**
   * Whether values under a soul are compared: those of this network that are stored.
   * @param hidden whether those are that are not public
   */
  isCompared(soul: string, hidden: boolean): boolean {
    const place = this.#place(soul)
    return place !== undefined && (hidden || !place.hidden)
  }

  belongs(soul: string, group: Group): boolean {
    const place = this.#place(soul)
    return place !== undefined && groupOf(place) === group
  }

  /** A soul's entries after a key, in pages. */
  async *entries(
    soul: string,
    after: string,
    breath: Breath,
  ): AsyncIterable<{ key: string; ts: number; value: string }> {
    let page = this.#store.page(soul, after, pageSize)
    while (page.length > 0) {
      yield* page
      await breath.take()
      page = page.length < pageSize ? [] : this.#store.page(soul, page.at(-1)?.key ?? '', pageSize)
    }
  }

  async #read(soul: string, bucket: Bucket, group: GroupState, breath: Breath): Promise<string> {
    const { version } = bucket
    const hash = hasher.create()
    let values = 0
    let bytes = 0
    for await (const { key, ts, value } of this.entries(soul, '', breath)) {
      hash
        .update(utf8.encode(key))
        .update(separator)
        .update(utf8.encode(String(ts)))
        .update(separator)
      hash.update(sha256(utf8.encode(value)))
      values++
      bytes += value.length
    }
    const digest = cut(hash.digest())
    if (bucket.version === version) {
      group.values += values - bucket.values
      group.bytes += bytes - bucket.bytes
      Object.assign(bucket, { digest, values, bytes })
    }
    return digest
  }

  #bucketOf(soul: string): { group: GroupState; bucket: Bucket } | undefined {
    const place = this.#place(soul)
    if (place === undefined) return undefined
    const name = groupOf(place)
    const group: GroupState = this.#groups.get(name) ?? { souls: new Map(), digest: undefined, values: 0, bytes: 0 }
    this.#groups.set(name, group)
    const bucket: Bucket = group.souls.get(soul) ?? { digest: undefined, version: 0, values: 0, bytes: 0 }
    group.souls.set(soul, bucket)
    return { group, bucket }
  }

  #place(soul: string): Place | undefined {
    const place = parseSoul(soul)
    return place?.network === this.#network && layouts[place.kind].stored ? place : undefined
  }
}

/** A value's own short digest, which tells two values of one time apart. */
export function shortDigest(value: string): string {
  return toBase64url(sha256(utf8.encode(value))).slice(0, 8)
}

function versionsOf(group: GroupState): number {
  let sum = group.souls.size
  for (const { version } of group.souls.values()) sum += version
  return sum
}

function cut(digest: Uint8Array): string {
  return toBase64url(digest).slice(0, 22)
}
