import { describe, expect, it } from 'vitest'
import { neighbourhood, networkText, parseAddress, readNetwork } from './address.ts'
import { Ranges } from './ranges.ts'

const read = (text: string): string => {
  const words = new Int32Array(4)
  const kind = parseAddress(text, words)
  return `${kind} ${Array.from(words, (word) => (word >>> 0).toString(16)).join(' ')}`
}

describe('parseAddress', () => {
  it.each([
    ['1.2.3.4', '0 1020304 0 0 0'],
    ['255.255.255.255', '0 ffffffff 0 0 0'],
    ['::ffff:9.8.7.6', '0 9080706 0 0 0'],
    ['::ffff:908:706', '0 9080706 0 0 0'],
    ['::1', '1 0 0 0 1'],
    ['::', '1 0 0 0 0'],
    ['2001:db8::ff00:42:8329', '1 20010db8 0 ff00 428329'],
    ['1:2:3:4:5:6:7:8', '1 10002 30004 50006 70008'],
    ['fe80::1%eth0', '1 fe800000 0 0 1'],
    ['64:ff9b::1.2.3.4', '1 64ff9b 0 0 1020304'],
  ])('%s', (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  it.each(['', 'abc', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1..2.3', '1.2.3.4 ', ':::', '1::2::3', '1:2'])(
    'refuses "%s"',
    (text) => {
      expect(parseAddress(text, new Int32Array(4))).toBeUndefined()
    },
  )
})

describe('Ranges', () => {
  const ranges = new Ranges(['10.0.0.0/8', '192.0.2.7', '2001:db8::/33', '0.0.0.0/32'])
  const has = (text: string): boolean => {
    const words = new Int32Array(4)
    const kind = parseAddress(text, words)
    return kind !== undefined && ranges.has(kind, words)
  }
  it.each(['10.255.0.1', '192.0.2.7', '2001:db8:7fff::1', '::ffff:10.1.1.1', '0.0.0.0'])('%s is in', (text) => {
    expect(has(text)).toBe(true)
  })
  it.each(['11.0.0.1', '192.0.2.8', '2001:db8:8000::1', '2001:db9::', 'a00::'])('%s is out', (text) => {
    expect(has(text)).toBe(false)
  })
})

describe('networks', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:db8:0:1::/64', '2001:db8:0:1::/64'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s is counted as %s', (text, expected) => {
    const key = new Int32Array(3)
    expect(readNetwork(text, key)).toBe(true)
    expect(networkText(key)).toBe(expected)
    const again = new Int32Array(3)
    expect(readNetwork(networkText(key), again)).toBe(true)
    expect(again).toEqual(key)
  })

  it.each(['', '/64', '192.0.2.1/64', '192.0.2.1/32', '2001:db8::/48', '2001:db8::/64/64', 'x'])(
    '"%s" is none',
    (text) => {
      expect(readNetwork(text, new Int32Array(3))).toBe(false)
    },
  )

  it('hold an IPv4 address, or the /64 of an IPv6 one', () => {
    const key = new Int32Array(3)
    neighbourhood(0, Int32Array.of(1, 2, 3, 4), key)
    expect([...key]).toEqual([0, 1, 0])
    neighbourhood(1, Int32Array.of(1, 2, 3, 4), key)
    expect([...key]).toEqual([1, 1, 2])
  })
})
