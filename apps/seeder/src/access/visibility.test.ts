import { describe, expect, test } from 'vitest'
import { type Caller, operator, type Viewer } from './caller.ts'
import type { Scope } from './scopes.ts'
import { audienceOf, may, mayChange } from './visibility.ts'

const infoHash = 'a'.repeat(40)

function caller(owner: string, scopes: Scope[], reads = false): Caller {
  const set = new Set(scopes)
  return { owner, scopes: set, admin: false, token: '1', can: (scope) => set.has(scope), reads: () => reads }
}

const viewers: Record<string, Viewer> = {
  stranger: {},
  peer: { peer: true },
  member: { member: 'm' },
  other: { caller: caller('bob', ['media:read-private', 'media:write']) },
  reader: { caller: caller('bob', ['media:read-private'], true) },
  'reader without the scope': { caller: caller('bob', ['media:write'], true) },
  owner: { caller: caller('alice', ['media:read-private']) },
  'owner without the scope': { caller: caller('alice', ['media:write', 'media:delete']) },
  nobody: { caller: caller('', ['media:read-private']) },
  operator: { caller: operator },
}

describe.each([
  ['stranger', 'see', 'read', 'hidden'],
  ['peer', 'see', 'read', 'read'],
  ['member', 'see', 'read', 'read'],
  ['other', 'see', 'read', 'hidden'],
  ['reader', 'see', 'read', 'see'],
  ['reader without the scope', 'see', 'read', 'hidden'],
  ['owner', 'see', 'see', 'see'],
  ['owner without the scope', 'see', 'see', 'hidden'],
  ['operator', 'see', 'see', 'see'],
])('%s', (name, open, unlisted, hidden) => {
  const viewer = viewers[name] ?? {}

  test('sees the items it may see', () => {
    const sights = (['public', 'unlisted', 'private'] as const).map((access) =>
      may(viewer, { infoHash, owner: 'alice', access }),
    )
    expect(sights).toEqual([open, unlisted, hidden])
  })

  test('changes its own items alone', () => {
    const owns = ['owner', 'owner without the scope', 'operator'].includes(name)
    expect(mayChange(viewer, { owner: 'alice' })).toBe(owns)
  })
})

test('nobody but the operator owns what came from other nodes', () => {
  for (const [name, viewer] of Object.entries(viewers)) {
    expect(mayChange(viewer, { owner: '' })).toBe(name === 'operator')
    const sight = may(viewer, { infoHash, owner: '', access: 'unlisted' })
    expect(sight).toBe(name === 'operator' ? 'see' : 'read')
  }
})

test('lists are made for the owner of the token', () => {
  expect(audienceOf({})).toEqual({ owner: '', readsPrivate: false })
  expect(audienceOf({ member: 'm' })).toEqual({ owner: '', readsPrivate: false })
  expect(audienceOf({ caller: caller('alice', ['media:read-private']) })).toEqual({
    owner: 'alice',
    readsPrivate: true,
  })
  expect(audienceOf({ caller: caller('alice', ['media:write']) })).toEqual({ owner: 'alice', readsPrivate: false })
  expect(audienceOf({ caller: operator })).toBeUndefined()
})
