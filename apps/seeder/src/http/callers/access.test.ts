import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Scope } from '../../access/index.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { askAs, json, makeToken, publishAs } from '../testing/tokens.ts'
import { problem, view } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode

beforeAll(async () => {
  node = await startTestNode()
})
afterAll(async () => {
  await node.stop()
})

const make = (owner: string, scopes: Scope[], rest?: Record<string, unknown>) => makeToken(node, owner, scopes, rest)
const as = (token: string) => askAs(node, token)
const put = (token: string, name: string, query?: string) => publishAs(node, token, name, query)

const itemPath = /(?<=\/(?:media|file|metadata|replicate))\/\{(?:id|mediaId|fileId)\}/
/** Its clients are told by 401 and 403 of what is there and not for them. */
const atDoor = /^\/api\/media\/\{mediaId\}/

describe('items', () => {
  let alice: string
  let writer: string
  let bob: string
  const everyone = () => [
    ['', 'stranger'],
    [bob, 'another'],
    [writer, 'writer'],
    [alice, 'owner'],
    [node.token, 'admin'],
  ]

  beforeAll(async () => {
    alice = (await make('alice', ['media:write', 'media:read-private', 'media:delete'])).token
    writer = (await make('alice', ['media:write'])).token
    bob = (await make('bob', ['media:write', 'media:read-private', 'media:delete'])).token
  })

  const listed = async (token: string) => {
    const list = (await (await as(token)('/v1/media?limit=1000')).json()) as { items: { id: string }[] }
    return list.items.map((item) => item.id)
  }
  const paths = (id: string) => ['', '/files', '/torrent', '/content'].map((path) => `/v1/media/${id}${path}`)

  test('that are unlisted are read by their ids, and listed to their owner alone', async () => {
    const item = await put(alice, 'unlisted', '&access=unlisted')
    for (const [token = '', who] of everyone()) {
      expect([who, (await listed(token)).includes(item.id)]).toEqual([who, ['owner', 'writer', 'admin'].includes(who!)])
      for (const path of [...paths(item.id), `/v1/media/${item.sha256}`, `/v1/media/${item.id}/ws/unlisted`])
        expect([who, path, (await as(token)(path)).status]).toEqual([who, path, 200])
    }
  })

  test('that are private are to all others as if they did not exist', async () => {
    const item = await put(alice, 'private', '&access=private')
    const absent = 'e'.repeat(40)
    for (const [token = '', who] of everyone()) {
      const sees = who === 'owner' || who === 'admin'
      expect([who, (await listed(token)).includes(item.id)]).toEqual([who, sees])
      for (const [n, path] of paths(item.id).entries()) {
        const answer = await as(token)(path)
        expect([who, path, answer.status]).toEqual([who, path, sees ? 200 : 404])
        if (sees) continue
        const other = await as(token)(paths(absent)[n]!)
        expect((await answer.text()).replaceAll(item.id, absent)).toBe(await other.text())
      }
      expect((await as(token)(`/v1/media/${item.sha256}/content`)).status).toBe(sees ? 200 : 404)
    }
  })

  test('that are private are on no route told from items that do not exist', async () => {
    const name = 'nobody learns this name'
    const { id, sha256 } = await put(alice, name, '&access=private')
    const { paths: all } = (await (await as('')('/openapi.json')).json()) as { paths: Record<string, object> }
    const routes = Object.entries(all)
      .filter(([path]) => itemPath.test(path) && !atDoor.test(path) && !path.includes('/ws/'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), path] as const))
    expect(routes.length).toBeGreaterThan(20)
    const ask = async (token: string, method: string, path: string, one: string) => {
      const init = ['GET', 'HEAD'].includes(method) ? {} : json(method, {})
      const filled = path.replace(itemPath, `/${one}`).replaceAll(/\{.*?\}/g, name)
      const answer = await as(token)(filled, { ...init, method })
      return { method, path, status: answer.status, text: (await answer.text()).replaceAll(one, '<id>') }
    }
    for (const [method, path] of routes)
      for (const token of ['', bob])
        for (const hidden of [id, sha256])
          expect(await ask(token, method, path, hidden)).toEqual(
            await ask(token, method, path, '9'.repeat(hidden.length)),
          )
  })

  test('are listed by their owner to nobody else, public ones neither', async () => {
    const { id } = await put(alice, 'whose is it')
    for (const [token = '', who] of everyone()) {
      const { items } = (await (await as(token)('/v1/media?owner=alice&limit=1000')).json()) as {
        items: { id: string }[]
      }
      const knows = ['owner', 'writer', 'admin'].includes(who!)
      expect([who, items.some((item) => item.id === id)]).toEqual([who, knows])
    }
  })

  test('that are private are ciphertext to peers, by infohash and name as the torrent has it', async () => {
    const item = await put(alice, 'for peers', '&access=private')
    const answer = await as('')(`/v1/media/${item.id}/ws/${item.name}`)
    expect(answer.status).toBe(200)
    expect(await answer.text()).toMatch(/^age-encryption.org\/v1\n/)
    expect(await problem(as('')(`/v1/media/${item.sha256}/ws/${item.name}`))).toEqual([404, 'media_not_found'])
    expect(await problem(as('')(`/v1/media/${item.id}/ws/for%20peers`))).toEqual([404, 'file_not_found'])
  })

  test('that are private are read by the token of a reader, until it is one no more', async () => {
    const reader = await identityToRecipient(await generateX25519Identity())
    const { token } = await make('dave', ['media:read-private'], { reader })
    const { token: blind } = await make('dave', ['media:write'], { reader })
    const { id } = await put(alice, 'for a reader', `&access=private&readers=${reader}`)
    const content = await as(token)(`/v1/media/${id}/content`)
    expect([content.status, await content.text()]).toEqual([200, 'for a reader'])
    expect(content.headers.get('cache-control')).toMatch(/^private/)
    expect(await view(await as(token)(`/v1/media/${id}`))).toMatchObject({
      access: 'private',
      plain: { name: 'for a reader' },
    })
    expect(await problem(as(blind)(`/v1/media/${id}/content`))).toEqual([404, 'media_not_found'])
    expect(await problem(as(token)(`/v1/media/${id}/pause`, { method: 'POST' }))).toEqual([403, 'insufficient_scope'])
    expect((await as(alice)(`/v1/media/${id}/readers/${reader}`, { method: 'DELETE' })).status).toBe(200)
    expect(await problem(as(token)(`/v1/media/${id}/content`))).toEqual([404, 'media_not_found'])
  })

  test('show whose they are, their pauses and limits to owner and administrators alone', async () => {
    const { id } = await put(alice, 'paused')
    expect((await as(writer)(`/v1/media/${id}/pause`, { method: 'POST' })).status).toBe(200)
    for (const [token = '', who] of everyone()) {
      const item = await view(await as(token)(`/v1/media/${id}`))
      const inner = { owner: item.owner, paused: item.paused, limits: item.limits }
      const own = { owner: 'alice', paused: true, limits: { uploadLimit: null, downloadLimit: null } }
      const shown = ['owner', 'writer', 'admin'].includes(who!) ? own : {}
      expect([who, inner]).toEqual([who, shown])
    }
  })

  test.each([
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['PUT', '/limits'],
    ['DELETE', ''],
    ['DELETE', '?local=true'],
  ])('of others are not changed: %s %s', async (method, path) => {
    const init = method === 'PUT' ? json('PUT', {}) : { method }
    const what = `${method} ${path.replace('/', '')}`
    const open = await put(alice, `open ${what}`)
    const hidden = await put(alice, `hidden ${what}`, '&access=private')
    const foreign = await put(node.token, `of the operator ${what}`)
    expect(await problem(as(bob)(`/v1/media/${open.id}${path}`, init))).toEqual([403, 'not_your_item'])
    expect(await problem(as(bob)(`/v1/media/${hidden.id}${path}`, init))).toEqual([404, 'media_not_found'])
    expect(await problem(as(bob)(`/v1/media/${foreign.id}${path}`, init))).toEqual([403, 'not_your_item'])
    expect(await problem(as(bob)(`/v1/media/${'e'.repeat(40)}${path}`, init))).toEqual([404, 'media_not_found'])
    for (const { id } of [open, hidden]) expect((await as(alice)(`/v1/media/${id}${path}`, init)).status).toBe(200)
    expect((await node.ask(`/v1/media/${foreign.id}${path}`, init)).status).toBe(200)
  })

  test('that are retracted are gone for those who may know of them', async () => {
    const open = await put(alice, 'gone')
    const hidden = await put(alice, 'gone and private', '&access=private')
    for (const { id } of [open, hidden]) await as(alice)(`/v1/media/${id}`, { method: 'DELETE' })
    expect(await problem(as('')(`/v1/media/${open.id}`))).toEqual([410, 'media_retracted'])
    expect(await problem(as('')(`/v1/media/${hidden.id}`))).toEqual([404, 'media_not_found'])
    expect(await problem(as('')(`/v1/media/${hidden.id}/content`))).toEqual([404, 'media_not_found'])
    expect(await problem(as(alice)(`/v1/media/${hidden.id}`))).toEqual([410, 'media_retracted'])
  })

  test('that were retracted belong to who publishes them next, as that one wants them', async () => {
    const item = await put(alice, 'once more', '&tags=first')
    await as(alice)(`/v1/media/${item.id}`, { method: 'DELETE' })
    const answer = await as(bob)('/v1/media?name=once%20more&access=unlisted', { method: 'PUT', body: 'once more' })
    expect([answer.status, await view(answer)]).toMatchObject([200, { id: item.id, owner: 'bob', access: 'unlisted' }])
    expect(await listed('')).not.toContain(item.id)
    expect(await problem(as(alice)(`/v1/media/${item.id}`, { method: 'DELETE' }))).toEqual([403, 'not_your_item'])
    const { quotas } = (await (await node.ask('/v1/quotas')).json()) as { quotas: Quota[] }
    expect(quotas.find(({ owner }) => owner === 'bob')?.used.bytes).toBeGreaterThanOrEqual(item.size)
    expect((await as(bob)(`/v1/media/${item.id}`, { method: 'DELETE' })).status).toBe(200)
  })

  test('that are live stay whose they are', async () => {
    const item = await put(alice, 'twice')
    const answer = await as(bob)('/v1/media?name=twice', { method: 'PUT', body: 'twice' })
    expect([answer.status, (await view(answer)).owner]).toEqual([200, undefined])
    expect((await view(await as(alice)(`/v1/media/${item.id}`))).owner).toBe('alice')
  })

  test.each(['live', 'retracted'])('that are private and %s are not had by their ciphertext', async (state) => {
    const { id, name } = await put(alice, `secret ${state}`, '&access=private')
    const torrent = await (await as(alice)(`/v1/media/${id}/torrent`)).bytes()
    const body = await (await as('')(`/v1/media/${id}/ws/${name}`)).bytes()
    if (state === 'retracted') await as(alice)(`/v1/media/${id}`, { method: 'DELETE' })
    expect(Buffer.from(torrent).includes(name)).toBe(true)
    expect(await problem(as(bob)(`/v1/media?name=${name}`, { method: 'PUT', body }))).toEqual([409, 'item_taken'])
    expect(await problem(as(bob)(`/v1/media/${id}`))).toEqual([404, 'media_not_found'])
  })
})

interface Quota {
  owner: string
  used: { bytes: number }
}
