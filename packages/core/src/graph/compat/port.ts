/** What a key of a public map holds: plain data, or a link to another node of these maps (`{'#': soul}`). */
export type CompatData = string | number | boolean | null | { '#': string }

/** One value of a public map. `state` is what its writer claims of the time, in milliseconds, with a fraction. */
export interface CompatValue {
  soul: string
  key: string
  state: number
  /** JSON text of the data. */
  value: string
}

/** Where the values of public maps lie: apart from all that is signed. Anybody may write them. */
export interface CompatStore {
  /** Keeps each value in place of the one under its key, as the youngest of its map. */
  put(map: string, values: readonly CompatValue[]): void
  get(soul: string, key: string): CompatValue | undefined
  /** Values of one soul in key order, after `afterKey`, at most `limit`. */
  page(soul: string, afterKey: string, limit: number): CompatValue[]
  /** Bytes of a map: its values' texts, souls and keys, and 64 for each. */
  bytes(map: string): number
  /** Drops the values of a map that were written longest ago, until it has no more bytes than that. */
  shrink(map: string, bytes: number): void
}

/** The public maps that clients of other families write and read. Nothing in them is signed, or to be trusted. */
export interface CompatMaps {
  /**
   * Merges data into a node, has its map name it, and says it to every link.
   * @throws InvalidInputError when the soul belongs to no map, or a value is past its map's limits
   */
  put(soul: string, data: Readonly<Record<string, CompatData>>): void
  /** A node's data; `undefined` when nothing is known of it. */
  get(soul: string): Record<string, CompatData> | undefined
  /** Calls `listener` with the soul of each node of a map that somebody else changed. @returns ends the watch */
  watch(map: string, listener: (soul: string) => void): () => void
}
