import { bytesToHex } from '@noble/hashes/utils.js'
import { expect, test } from 'vitest'
import { toBase64url } from '../identity/index.ts'
import { candidate } from './candidate.ts'
import type { Candidate, Standing } from './candidate.ts'
import { unitInterval } from './hash64.ts'
import { itemHalves, repairer, score, wantedHolders } from './placement.ts'
import type { Known } from './placement.ts'
import vectors from './vectors.json' with { type: 'json' }

const standing: Standing = { zone: '', operator: '', capacity: 2 ** 40, free: 2 ** 39, state: 'active' }
const none: Known = { holds: () => false, refused: () => false, vain: () => 0 }

const bytes = (seed: number, length: number): Uint8Array => {
  let state = seed
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}
const infoHash = (seed: number): string => bytesToHex(bytes(seed, 20))
const member = (seed: number, change: Partial<Standing> = {}): Candidate =>
  candidate(toBase64url(bytes(seed, 32)), { ...standing, ...change })
const wish = (seed: number, publisher: string, target = 3) => ({
  infoHash: infoHash(seed),
  size: 1000,
  publishers: [publisher],
  target,
})

const bigUnit = (value: bigint): number => {
  const mask = (1n << 64n) - 1n
  let z = value
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask
  z ^= z >> 31n
  return (Number(z >> 12n) + 0.5) / 2 ** 52
}

test('the halves compute what 64-bit arithmetic does', () => {
  const edges = [0n, 1n, 0xffffffffn, 0x100000000n, 0xffffffffffffffffn, 0x8000000000000000n, 0x7fffffff80000000n]
  const values = [...edges, ...Array.from({ length: 5000 }, (_, i) => BigInt(`0x${infoHash(i).slice(0, 16)}`))]
  for (const value of values) {
    const unit = unitInterval(Number(value >> 32n), Number(value & 0xffffffffn))
    expect(unit).toBe(bigUnit(value))
    expect(unit > 0 && unit < 1).toBe(true)
  }
})

test.each(vectors)('vector $infoHash', ({ infoHash: hash, pub, capacity, score: expected }) => {
  expect(score(itemHalves(hash), candidate(pub, { ...standing, capacity }))).toBeCloseTo(expected, 6)
})

test('a share of the items equals the share of the weights', () => {
  const members = [member(1), member(2), member(3, { capacity: 2 ** 41 })]
  const held = new Map<string, number>()
  for (let i = 0; i < 20_000; i++) {
    const [first] = wantedHolders(wish(i, 'nobody', 1), members, none)
    held.set(first!, (held.get(first!) ?? 0) + 1)
  }
  expect(held.get(members[0]!.id)! / 20_000).toBeCloseTo(0.25, 1)
  expect(held.get(members[2]!.id)! / 20_000).toBeCloseTo(0.5, 1)
})

test('everybody chooses the same, in whatever order the members are met', () => {
  const members = Array.from({ length: 9 }, (_, i) => member(i))
  for (let i = 0; i < 200; i++) {
    const here = wantedHolders(wish(i, members[0]!.id), members, none)
    expect(wantedHolders(wish(i, members[0]!.id), members.toReversed(), none)).toEqual(here)
    expect(new Set(here).size).toBe(3)
  }
})

test('a member that leaves moves only what it held', () => {
  const members = Array.from({ length: 9 }, (_, i) => member(i))
  const gone = members[8]!.id
  for (let i = 0; i < 500; i++) {
    const before = wantedHolders(wish(i, 'nobody'), members, none)
    const after = wantedHolders(wish(i, 'nobody'), members.slice(0, 8), none)
    expect(after.slice(0, before.includes(gone) ? 2 : 3)).toEqual(before.filter((id) => id !== gone))
  }
})

test('the publisher comes first while it lives and does not drain', () => {
  const others = [member(2), member(3), member(4)]
  const publisher = member(1, { state: 'full', free: 0 })
  expect(wantedHolders(wish(7, publisher.id, 2), [...others, publisher], none)[0]).toBe(publisher.id)
  const draining = member(1, { state: 'draining' })
  expect(wantedHolders(wish(7, draining.id, 4), [...others, draining], none)).not.toContain(draining.id)
  expect(wantedHolders(wish(7, 'dead', 3), others, none)).toHaveLength(3)
})

test('a publisher that refused its own item is skipped like anybody, and another takes its place', () => {
  const publisher = member(1)
  const others = [member(2), member(3), member(4)]
  const known: Known = { ...none, refused: (id) => id === publisher.id }
  for (let i = 0; i < 50; i++) {
    const wanted = wantedHolders(wish(i, publisher.id, 2), [publisher, ...others], known)
    expect(wanted).toEqual(wantedHolders(wish(i, 'nobody', 2), others, none))
  }
})

test('zones and operators repeat only when there is no other', () => {
  const members = [
    member(1, { zone: 'a', operator: 'x' }),
    member(2, { zone: 'a', operator: 'y' }),
    member(3, { zone: 'a', operator: 'z' }),
    member(4, { zone: 'b', operator: 'x' }),
    member(5, { zone: 'c', operator: 'w' }),
  ]
  for (let i = 0; i < 100; i++) {
    const chosen = wantedHolders(wish(i, members[0]!.id), members, none)
    expect(chosen).toContain(members[4]!.id)
    expect(chosen).toHaveLength(3)
  }
  expect(wantedHolders(wish(1, 'nobody', 9), members, none)).toHaveLength(5)
})

test('the choice is that of going down the ranks once, then over those passed by', () => {
  const members = Array.from({ length: 30 }, (_, i) =>
    member(i, { zone: ['', 'a', 'b', 'c', 'd'][i % 5]!, operator: `${i % 7}` }),
  )
  for (let i = 0; i < 300; i++) {
    const { publishers, target, infoHash: hash } = wish(i, members[i % 30]!.id, 1 + (i % 9))
    const ranked = members
      .filter(({ id }) => !publishers.includes(id))
      .toSorted((a, b) => score(itemHalves(hash), b) - score(itemHalves(hash), a))
    const first = [members[i % 30]!]
    const passedBy: Candidate[] = []
    for (const next of ranked) {
      const taken = first.some(
        ({ zone, operator }) => (zone !== '' && zone === next.zone) || operator === next.operator,
      )
      ;(taken ? passedBy : first).push(next)
    }
    const expected = [...first, ...passedBy].slice(0, target).map(({ id }) => id)
    expect(wantedHolders(wish(i, publishers[0]!, target), members, none)).toEqual(expected)
  }
})

test('room gates new copies only, and who refused is skipped', () => {
  const tight = member(1, { free: 999 })
  const full = member(2, { state: 'full' })
  const good = member(3)
  const holds = { ...none, holds: (id: string) => id === tight.id || id === full.id }
  expect(wantedHolders(wish(1, 'nobody'), [tight, full, good], none)).toEqual([good.id])
  expect(wantedHolders(wish(1, 'nobody'), [tight, full, good], holds)).toHaveLength(3)
  expect(wantedHolders(wish(1, 'nobody'), [good], { ...none, refused: () => true })).toEqual([])
})

test('all who publish an item are wanted, even more than the target', () => {
  const members = Array.from({ length: 6 }, (_, i) => member(i))
  const publishers = members.slice(0, 4).map(({ id }) => id)
  for (let i = 0; i < 50; i++) {
    const wanted = wantedHolders({ ...wish(i, ''), publishers }, members, none)
    expect(wanted.toSorted()).toEqual(publishers.toSorted())
  }
})

test('who was skipped is chosen last, and still before nobody', () => {
  const members = Array.from({ length: 4 }, (_, i) => member(i))
  const skipped = members[0]!.id
  const known: Known = { ...none, vain: (id) => Number(id === skipped) }
  for (let i = 0; i < 50; i++) {
    expect(wantedHolders(wish(i, 'nobody'), members, known)).not.toContain(skipped)
    expect(wantedHolders(wish(i, skipped), members, known)).not.toContain(skipped)
    expect(wantedHolders(wish(i, 'nobody', 4), members, known).at(-1)).toBe(skipped)
  }
})

test('a member without capacity is never preferred', () => {
  const empty = member(1, { capacity: 0 })
  for (let i = 0; i < 100; i++)
    expect(wantedHolders(wish(i, 'nobody', 1), [empty, member(2)], none)).not.toContain(empty.id)
})

test('the repairer is the nearest by XOR', () => {
  const members = Array.from({ length: 20 }, (_, i) => member(i))
  const distance = (m: Candidate, hash: string): bigint => BigInt(`0x${bytesToHex(m.place)}`) ^ BigInt(`0x${hash}`)
  for (let i = 0; i < 200; i++) {
    const hash = infoHash(i)
    const expected = members.toSorted((a, b) => (distance(a, hash) < distance(b, hash) ? -1 : 1))[0]!.id
    expect(repairer(hash, members)).toBe(expected)
  }
  expect(repairer(infoHash(1), [])).toBeUndefined()
})
