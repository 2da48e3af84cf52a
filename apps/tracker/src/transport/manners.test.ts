import { describe, expect, it } from 'vitest'
import { kinds } from '../swarm/index.ts'
import { parseAddress } from './address.ts'
import { Manners } from './manners.ts'
import { Ranges } from './ranges.ts'

let now = 0

const words = (text: string) => {
  const address = new Int32Array(4)
  return { kind: parseAddress(text, address) ?? kinds.ipv4, address }
}

describe('Manners', () => {
  const manners = (perSecond: number, limits = { requestsPerAddress: perSecond, banSeconds: 600 }) => {
    now = 0
    const own = new Ranges(['127.0.0.1'])
    const isMember = (kind: 0 | 1, address: Int32Array) => own.has(kind, address)
    return new Manners({ limits, isMember, now: () => now, clock: () => 1e12 + now, random: () => 0.2 })
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

  it('bans on the word of others, until then, and lets go on their word', () => {
    const one = manners(5)
    const { kind, address } = words('2001:db8::7')
    one.ban({ network: '2001:db8::/64', until: 1e12 + 90_000 })
    one.ban({ network: '9.9.9.9', until: 1e12 + 90_000 })
    one.ban({ network: '127.0.0.1', until: 1e12 + 90_000 })
    one.ban({ network: 'nonsense', until: 1e12 + 90_000 })
    expect([one.isBanned(kind, address), permits(one, '9.9.9.9'), permits(one, '127.0.0.1')]).toEqual([
      true,
      false,
      true,
    ])
    expect([permits(one, '2001:db8:0:1::7'), one.bans]).toEqual([true, 3])
    one.ban({ network: '9.9.9.9', until: 0 })
    expect([permits(one, '9.9.9.9'), permits(one, '2001:db8::9')]).toEqual([true, false])
    now = 91_000
    expect([one.isBanned(kind, address), permits(one, '2001:db8::9')]).toEqual([false, true])
  })

  it('tells others of the bans that it made, once', () => {
    const one = manners(5)
    now = 5000
    for (const text of ['9.9.9.9', '2001:db8::1']) {
      const { kind, address } = words(text)
      while (!one.refused(kind, address));
    }
    one.ban({ network: '9.9.9.1', until: 2e12 })
    const until = 1e12 + 605_000
    expect(one.takeBans(1)).toEqual([{ network: '9.9.9.9', until }])
    expect(one.takeBans(5)).toEqual([{ network: '2001:db8:0:0::/64', until }])
    expect(one.takeBans(5)).toEqual([])
  })

  it('keeps a bounded number of bans: those give way that are over, or would be first', () => {
    const one = manners(5)
    const ban = (n: number, until: number) => one.ban({ network: `8.8.${n >> 8}.${n & 255}`, until })
    for (let n = 0; n < 10_500; n++) ban(n, 1e12 + 50_000 + n)
    expect(one.bans).toBe(10_000)
    expect([permits(one, '8.8.0.0'), permits(one, '8.8.5.0'), permits(one, '8.8.41.3')]).toEqual([true, false, false])
    now = 61_000
    ban(12_000, 1e12 + 120_000)
    expect([one.bans, permits(one, '8.8.46.224')]).toEqual([1, false])
  })

  // Milliseconds in a word of 32 bits come round after 25 days.
  it.each([24, 25, 49, 50, 400])('limits and bans as before after %i days', (days) => {
    const one = manners(5)
    const { kind, address } = words('9.9.9.9')
    expect(many(one, '9.9.9.9', 100)).toBe(50)
    now = days * 86_400_000
    expect(many(one, '9.9.9.9', 100)).toBe(50)
    now += 2000
    expect(many(one, '9.9.9.9', 100)).toBe(10)
    let strikes = 1
    while (!one.refused(kind, address)) strikes++
    expect([strikes, one.isBanned(kind, address)]).toEqual([200, true])
    now += 599_000
    expect(one.isBanned(kind, address)).toBe(true)
    now += 1000
    expect(one.isBanned(kind, address)).toBe(false)
  })

  it('takes other limits on while it runs', () => {
    const limits = { requestsPerAddress: 5, banSeconds: 600 }
    const one = manners(5, limits)
    expect(many(one, '9.9.9.9', 100)).toBe(50)
    limits.requestsPerAddress = 0
    expect(many(one, '9.9.9.9', 1000)).toBe(1000)
    limits.requestsPerAddress = 2
    limits.banSeconds = 3
    expect(many(one, '9.9.9.8', 100)).toBe(20)
    const { kind, address } = words('9.9.9.8')
    while (!one.refused(kind, address));
    now = 3000
    expect(one.isBanned(kind, address)).toBe(false)
  })
})
