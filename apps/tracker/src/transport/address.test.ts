import { describe, expect, it } from 'vitest'
import { kinds } from '../swarm/index.ts'
import { neighbourhood, parseAddress } from './address.ts'
import { Manners } from './manners.ts'
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

describe('Manners', () => {
  let now = 0
  const manners = (perSecond: number) => {
    now = 0
    const own = new Ranges(['127.0.0.1'])
    const isMember = (kind: 0 | 1, address: Int32Array) => own.has(kind, address)
    const limits = { requestsPerAddress: perSecond, banSeconds: 600 }
    return new Manners({ limits, isMember, now: () => now, clock: () => 1e12 + now, random: () => 0.2 })
  }
  const words = (text: string) => {
    const address = new Int32Array(4)
    return { kind: parseAddress(text, address) ?? kinds.ipv4, address }
  }
  const permits = (one: Manners, text: string): boolean => {
    const { kind, address } = words(text)
    return one.permits(kind, address)
  }
  const many = (one: Manners, text: string, count: number): number =>
    Array.from({ length: count }, () => permits(one, text)).filter(Boolean).length

  it('lets ten seconds of the rate pass at once, then the rate, for each address', () => {
    const one = manners(5)
    expect(many(one, '9.9.9.9', 100)).toBe(50)
    now = 2000
    expect(many(one, '9.9.9.9', 100)).toBe(10)
    expect(many(one, '9.9.9.8', 100)).toBe(50)
    expect(many(manners(0), '9.9.9.9', 1000)).toBe(1000)
  })

  it('takes a /64 for one address, and limits no member', () => {
    const one = manners(5)
    expect(many(one, '2001:db8::1', 30) + many(one, '2001:db8::ffff:0:2', 100)).toBe(50)
    expect(many(one, '2001:db8:0:1::1', 100)).toBe(50)
    expect(many(one, '127.0.0.1', 1000)).toBe(1000)
    const key = new Int32Array(3)
    neighbourhood(kinds.ipv4, Int32Array.of(1, 2, 3, 4), key)
    expect([...key]).toEqual([0, 1, 0])
  })

  it('bans who goes on sending what must be refused, for ten minutes', () => {
    const one = manners(5)
    const { kind, address } = words('9.9.9.9')
    for (let strikes = 0; strikes < 199; strikes++) expect(one.refused(kind, address)).toBe(false)
    now = 61_000
    let strikes = 1
    while (!one.refused(kind, address)) strikes++
    expect(strikes).toBe(200)
    now = 0
    expect([permits(one, '9.9.9.9'), one.isBanned(kind, address), permits(one, '9.9.9.8')]).toEqual([false, true, true])
    now = 660_000
    expect(one.isBanned(kind, address)).toBe(true)
    now = 662_000
    expect([one.isBanned(kind, address), permits(one, '9.9.9.9')]).toEqual([false, true])
  })

  it('remembers a bounded number of addresses, the latest of them', () => {
    const one = manners(1)
    const address = new Int32Array(4)
    const spend = (first: number) => {
      address[0] = first
      return Array.from({ length: 11 }, () => one.permits(kinds.ipv4, address)).filter(Boolean).length
    }
    for (let i = 0; i < 100_000; i++) {
      address[0] = i
      one.permits(kinds.ipv4, address)
    }
    expect(spend(99_999)).toBe(9)
    expect(spend(0)).toBe(10)
  })
})
