import { rm } from 'node:fs/promises'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createHash, timingSafeEqual } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openAdminToken } from '@eldernode/member/keys'
import { type Library, openLibrary } from '../library/index.ts'
import { TokenNotFoundError } from './errors.ts'
import { scopeSchema } from './scopes.ts'
import { Tokens } from './tokens.ts'

vi.mock(import('node:crypto'), async (original) => {
  const crypto = await original()
  return { ...crypto, timingSafeEqual: vi.fn<typeof crypto.timingSafeEqual>(crypto.timingSafeEqual) }
})

const grants = new Set<string>()
const admin = 'a'.repeat(43)
let folder: string
let library: Library
let now: number
let tokens: Tokens

const open = async () => {
  library = await openLibrary({ folder, digest: () => Promise.reject(new Error('nothing to hash')) })
  tokens = new Tokens({
    store: library.tokens,
    admin: { matches: (text) => text === admin },
    granted: (infoHash, reader) => grants.has(`${infoHash} ${reader}`),
    now: () => now,
  })
}

beforeEach(async () => {
  now = 1000
  grants.clear()
  folder = await mkdtemp(join(tmpdir(), 'eldernode-access-'))
  await open()
})
afterEach(async () => {
  library.close()
  await rm(folder, { recursive: true })
})

const terms = { owner: 'alice', label: 'phone', scopes: ['media:write' as const] }

test('a token says whose it is and what it may do, also after a restart', async () => {
  const { token, info } = tokens.create(terms)
  expect(token).toMatch(/^en_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/)
  library.close()
  await open()
  const caller = tokens.find(token)
  expect(caller).toMatchObject({ owner: 'alice', admin: false, token: info.id })
  expect(scopeSchema.options.filter((scope) => caller?.can(scope))).toEqual(['media:write'])
  expect(tokens.list()).toEqual([{ ...terms, id: info.id, createdAt: 1000 }])
})

test('the token itself is nowhere on the disk, its hash is', async () => {
  const { token, info } = tokens.create(terms)
  const files = await Promise.all(
    ['catalog.db', 'catalog.db-wal'].map((name) => readFile(join(folder, name)).catch(() => Buffer.alloc(0))),
  )
  const disk = Buffer.concat(files)
  expect(disk.includes(token.slice(20))).toBe(false)
  expect(disk.includes(info.id)).toBe(true)
  expect(disk.includes(createHash('sha256').update(token).digest())).toBe(true)
})

test.each([
  ['another secret', (token: string) => `${token.slice(0, 20)}${'x'.repeat(43)}`],
  ['one character less', (token: string) => token.slice(0, -1)],
  ['one character more', (token: string) => `${token}x`],
  ['another id', (token: string) => `en_${'0'.repeat(16)}${token.slice(19)}`],
  ['the id alone', (token: string) => token.slice(0, 19)],
  ['nothing', () => ''],
])('%s is no token', (_what, change) => {
  const { token } = tokens.create(terms)
  expect(tokens.find(token)).toBeDefined()
  expect(tokens.find(change(token))).toBeUndefined()
})

test('every guess costs one look and both comparisons, each in constant time, however near it is', () => {
  const { token } = tokens.create(terms)
  const looked = vi.spyOn(library.tokens, 'get')
  const secret = openAdminToken(join(folder, 'admin.token'))
  const watched = new Tokens({ store: library.tokens, admin: secret, granted: () => false, now: () => now })
  const guesses = [token, `${token.slice(0, -1)}x`, `en_${'0'.repeat(16)}_${'x'.repeat(43)}`, 'x', '']
  for (const guess of guesses) {
    vi.mocked(timingSafeEqual).mockClear()
    watched.find(guess)
    expect([guess, vi.mocked(timingSafeEqual).mock.calls.length]).toEqual([guess, 2])
  }
  expect(looked).toHaveBeenCalledTimes(guesses.length)
})

test('a token ends when it is revoked, and when it expires', () => {
  const { token: first, info } = tokens.create(terms)
  const { token: second } = tokens.create({ ...terms, expiresAt: 2000 })
  tokens.revoke(info.id)
  expect(tokens.find(first)).toBeUndefined()
  expect(() => tokens.revoke(info.id)).toThrow(TokenNotFoundError)
  now = 1999
  expect(tokens.find(second)).toBeDefined()
  now = 2000
  expect(tokens.find(second)).toBeUndefined()
  expect(tokens.list()).toHaveLength(1)
  now += 30 * 86_400_000 + 1
  tokens.create(terms)
  expect(tokens.list()).toHaveLength(1)
})

test('node:admin is every scope; the token of the file is the operator', () => {
  const caller = tokens.find(tokens.create({ ...terms, scopes: ['node:admin'] }).token)
  expect(caller).toMatchObject({ owner: 'alice', admin: true })
  expect(scopeSchema.options.every((scope) => caller?.can(scope))).toBe(true)
  expect(tokens.find(admin)).toMatchObject({ owner: '', admin: true })
})

test('a reader reads what was granted to its age recipient', () => {
  const reader = `age1${'q'.repeat(58)}`
  grants.add(`${'b'.repeat(40)} ${reader}`)
  const caller = tokens.find(tokens.create({ ...terms, reader }).token)
  expect(caller?.reads('b'.repeat(40))).toBe(true)
  expect(caller?.reads('c'.repeat(40))).toBe(false)
  expect(tokens.find(tokens.create(terms).token)?.reads('b'.repeat(40))).toBe(false)
})

test('a scope that this version does not know is good for nothing', () => {
  const { token, info } = tokens.create(terms)
  const record = library.tokens.get(info.id)
  library.tokens.remove(info.id)
  if (record !== undefined) library.tokens.add({ ...record, scopes: ['media:read', 'media:delete'] })
  expect([...(tokens.find(token)?.scopes ?? [])]).toEqual(['media:delete'])
})

test('an owner may what one of its tokens permits that is neither revoked nor expired', () => {
  const { info: first } = tokens.create({ ...terms, scopes: ['events:read'] })
  tokens.create({ ...terms, scopes: ['node:admin'], expiresAt: now + 1000 })
  const may = () => [tokens.permits('alice', 'events:read'), tokens.permits('alice', 'node:admin')]
  expect(may()).toEqual([true, true])
  now += 1000
  expect(may()).toEqual([true, false])
  expect(tokens.revoke(first.id)).toBe('alice')
  expect(may()).toEqual([false, false])
  tokens.create(terms)
  expect([...may(), tokens.permits('bob', 'events:read'), tokens.permits('', 'node:admin')]).toEqual([
    false,
    false,
    false,
    true,
  ])
})
