/** What one map may hold, in bytes: everything in it, and one value's JSON text. */
interface MapLimits {
  total: number
  value: number
  /** Of single keys, where they may be larger. */
  keys?: Readonly<Record<string, number>>
}

const kib = 1024
const mib = 1024 * kib
/** Base64 of so many bytes, with room for the start of a data URL. */
const base64 = (bytes: number): number => Math.ceil(bytes / 3) * 4 + 128

/** Users' own space (`~<public key>/...`) is one map of everybody's. */
const userMap = '~'

export const maps: Readonly<Record<string, MapLimits>> = {
  albums: { total: 64 * mib, value: 8 * kib, keys: { cover: base64(50 * kib), coverArt: base64(50 * kib) } },
  tracks: { total: 32 * mib, value: 8 * kib },
  previews: { total: 256 * mib, value: 4 * kib, keys: { audioData: base64(mib) } },
  interactions: { total: 16 * mib, value: 4 * kib },
  'seed-requests': { total: 8 * mib, value: 8 * kib },
  eldernodes: { total: 4 * mib, value: 2 * kib },
  _test: { total: mib, value: kib },
  [userMap]: { total: 64 * mib, value: 64 * kib },
}

const part = /^[\w.~:@+=-]{1,128}$/
/** A SEA key: two coordinates of a P-256 point, each 32 bytes in base64url. */
const user = /^~[\w-]{43}\.[\w-]{43}$/
const deepest = 5
const longest = 200

/** The map that a soul belongs to: `<map>`, `<map>/<id>`, `<map>/<id>/...` or `~<public key>/...`. */
export function mapOf(soul: string): string | undefined {
  if (soul.length > longest) return undefined
  const [first = '', ...rest] = soul.split('/')
  if (rest.length > deepest || !rest.every((name) => part.test(name))) return undefined
  if (user.test(first)) return userMap
  return Object.hasOwn(maps, first) && first !== userMap ? first : undefined
}

/** Whether a value's JSON text is within its map's limits. */
export function fitsMap(map: string, key: string, text: string): boolean {
  const limits = maps[map]
  if (limits === undefined) return false
  const own = limits.keys !== undefined && Object.hasOwn(limits.keys, key) ? limits.keys[key] : undefined
  return new TextEncoder().encode(text).length <= (own ?? limits.value)
}
