import { beforeEach, describe, expect, test } from 'vitest'
import { networkIdOf, toBase64url } from '../identity/index.ts'
import { Membership } from './membership.ts'
import type { Certificate } from './schema.ts'

const key = (n: number): string => toBase64url(new Uint8Array(32).fill(n))
const [first, second, third] = [key(1), key(2), key(3)]
const [node, stranger] = [key(10), key(11)]
const certificate = (change: Partial<Certificate> = {}): Certificate => ({
  member: node,
  roles: ['seeder', 'publisher'],
  operator: 'alice',
  issuedAt: 100,
  expiresAt: 1000,
  ...change,
})
let membership: Membership

beforeEach(() => {
  membership = new Membership(first, false)
})

describe('members', () => {
  test('a certificate admits in its roles until it expires', () => {
    membership.certify(certificate(), 100)
    expect(membership.isMember(node, 'seeder', 999)).toBe(true)
    expect(membership.isMember(node, 'any', 999)).toBe(true)
    expect(membership.isMember(node, 'auditor', 999)).toBe(false)
    expect(membership.isMember(node, 'seeder', 1000)).toBe(false)
    expect(membership.isMember(stranger, 'any', 500)).toBe(false)
    expect(membership.operatorOf(node)).toBe('alice')
    expect(membership.certificateOf(stranger)).toBeUndefined()
  })

  test('what was signed before expiry or revocation is told from what came after', () => {
    membership.certify(certificate(), 100)
    expect(membership.standing(node, 'seeder', 900, 2000)).toBe('former')
    expect(membership.standing(node, 'seeder', 1000, 2000)).toBe('stranger')
    membership.certify(certificate({ roles: [] }), 300)
    expect(membership.isMember(node, 'any', 400)).toBe(false)
    expect(membership.standing(node, 'publisher', 299, 400)).toBe('former')
    expect(membership.standing(node, 'publisher', 300, 400)).toBe('stranger')
    expect(membership.knows(node)).toBe(true)
  })

  test('the newest certificate counts, in whatever order they come', () => {
    membership.certify(certificate({ roles: [] }), 300)
    membership.certify(certificate(), 100)
    expect(membership.isMember(node, 'seeder', 400)).toBe(false)
    membership.certify(certificate(), 301)
    expect(membership.isMember(node, 'seeder', 400)).toBe(true)
  })

  test('an open network admits everybody', () => {
    const open = new Membership(first, true)
    expect(open.isMember(stranger, 'publisher', 1)).toBe(true)
    expect(open.knows(stranger)).toBe(true)
    expect(open.operatorOf(stranger)).toBeUndefined()
  })

  test('lost keys are followed to the one that speaks for them, never in a circle', () => {
    const lost = (n: number, successor: string): void =>
      membership.certify(certificate({ member: key(n), roles: [], successor }), 100)
    expect(membership.successorOf(key(20))).toBe(key(20))
    lost(20, key(21))
    lost(21, key(22))
    expect(membership.successorOf(key(20))).toBe(key(22))
    lost(22, key(20))
    expect(membership.successorOf(key(20))).toBe(key(22))
    lost(30, key(31))
    lost(31, key(32))
    lost(32, key(31))
    expect([key(31), key(32)]).toContain(membership.successorOf(key(30)))
  })
})

describe('owners', () => {
  test('each names the next, once', () => {
    expect(membership.network).toBe(networkIdOf(first))
    expect([membership.maySucceed(first, 1), membership.maySucceed(second, 1)]).toEqual([true, false])
    membership.succeed(1, { owner: second }, 500)
    expect([membership.owner, membership.nextSuccession]).toEqual([second, 2])
    membership.succeed(1, { owner: third }, 9999)
    expect(membership.owner).toBe(second)
    expect([membership.maySucceed(first, 1), membership.maySucceed(first, 2)]).toEqual([false, false])
    expect(membership.maySucceed(second, 2)).toBe(true)
    expect(membership.network).toBe(networkIdOf(first))
  })

  test('a former owner keeps what it said before it named another', () => {
    membership.succeed(1, { owner: second }, 500)
    expect(membership.ownership(second, 501)).toBe('member')
    expect(membership.ownership(first, 500)).toBe('former')
    expect(membership.ownership(first, 501)).toBe('stranger')
    expect(membership.ownership(stranger, 1)).toBe('stranger')
  })

  test('successions may come in any order, as a store gives 10 before 2', () => {
    const numbers = Array.from({ length: 12 }, (_, i) => i + 1)
    for (const n of numbers.toSorted((a, b) => `${a}`.localeCompare(`${b}`))) {
      membership.succeed(n, { owner: key(100 + n) }, n)
    }
    expect([membership.owner, membership.nextSuccession]).toEqual([key(112), 13])
    expect(membership.ownership(key(110), 11)).toBe('former')
  })

  test('a number far ahead is not remembered', () => {
    membership.succeed(1_000_000, { owner: second }, 1)
    membership.succeed(3, { owner: third }, 1)
    expect(membership.owner).toBe(first)
  })
})
