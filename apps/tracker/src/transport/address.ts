import { isIPv6 } from 'node:net'
import { kinds } from '../swarm/index.ts'

export type Family = typeof kinds.ipv4 | typeof kinds.ipv6

/**
 * An IP address as words: one for IPv4, the others zero, four for IPv6. IPv4 in its IPv6 dress (`::ffff:1.2.3.4`) is IPv4,
 * and the zone of an IPv6 address is no part of it. Undefined when it is no address.
 */
export const parseAddress = (text: string, into: Int32Array): Family | undefined => {
  const word = ipv4(text, 0, text.length)
  if (word !== undefined) {
    into[0] = word
    into[1] = 0
    into[2] = 0
    into[3] = 0
    return kinds.ipv4
  }
  return ipv6(text, into)
}

/** Words that `neighbourhood` fills. */
export const keyWords = 3

/** What limits are counted by: an IPv4 address, or the /64 of an IPv6 one, which one subscriber has. */
export const neighbourhood = (kind: Family, address: Int32Array, into: Int32Array): void => {
  into[0] = kind
  into[1] = address[0] as number
  into[2] = kind === kinds.ipv4 ? 0 : (address[1] as number)
}

/** Such a neighbourhood as text: `192.0.2.1`, or `2001:db8:0:1::/64`. */
export const networkText = (key: Int32Array): string => {
  const [kind = 0, high = 0, low = 0] = key
  if (kind === kinds.ipv4) return `${high >>> 24}.${(high >>> 16) & 255}.${(high >>> 8) & 255}.${high & 255}`
  return `${[high >>> 16, high & 0xffff, low >>> 16, low & 0xffff].map((group) => group.toString(16)).join(':')}::/64`
}

/** Fills such a neighbourhood from an address, with `/64` or without. @returns whether it is one */
export const readNetwork = (text: string, into: Int32Array): boolean => {
  const words = new Int32Array(4)
  const mark = text.indexOf('/')
  const kind = parseAddress(mark === -1 ? text : text.slice(0, mark), words)
  if (kind === undefined || (mark !== -1 && (kind === kinds.ipv4 || text.slice(mark) !== '/64'))) return false
  neighbourhood(kind, words, into)
  return true
}

const ipv4 = (text: string, from: number, to: number): number | undefined => {
  let word = 0
  let parts = 0
  let digits = 0
  let part = 0
  for (let at = from; at <= to; at++) {
    const code = at < to ? text.charCodeAt(at) : 46
    if (code === 46) {
      if (digits === 0 || part > 255 || ++parts > 4) return undefined
      word = (word << 8) | part
      part = 0
      digits = 0
    } else if (code >= 48 && code <= 57) {
      if (++digits > 3 || (digits > 1 && part === 0)) return undefined
      part = part * 10 + code - 48
    } else return undefined
  }
  return parts === 4 ? word : undefined
}

const ipv6 = (zoned: string, into: Int32Array): Family | undefined => {
  const zone = zoned.indexOf('%')
  const text = zone === -1 ? zoned : zoned.slice(0, zone)
  if (!isIPv6(text)) return undefined
  const last = text.lastIndexOf(':') + 1
  const tail = ipv4(text, last, text.length)
  const plain =
    tail === undefined ? text : `${text.slice(0, last)}${(tail >>> 16).toString(16)}:${(tail & 0xffff).toString(16)}`
  const [left = '', right] = plain.split('::')
  const before = groups(left)
  const after = groups(right ?? '')
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  for (let i = 0; i < 4; i++) into[i] = ((all[2 * i] ?? 0) << 16) | (all[2 * i + 1] ?? 0)
  const isDressed = into[0] === 0 && into[1] === 0 && into[2] === 0xffff
  if (!isDressed) return kinds.ipv6
  into[0] = into[3] as number
  into[1] = 0
  into[2] = 0
  into[3] = 0
  return kinds.ipv4
}

const groups = (text: string): number[] =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
