import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openGrant, openSmall } from '@eldernode/core'
import type { MediaView } from '../media/media-view.ts'
import type { Problem } from '../problem.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode

beforeAll(async () => {
  node = await startTestNode()
})

afterAll(async () => {
  await node.stop()
})

const stranger = { headers: { authorization: '' } }
const put = async (query: string, body: string | Uint8Array<ArrayBuffer>) => {
  const answer = await node.ask(`/v1/media?${query}`, { method: 'PUT', body })
  return { status: answer.status, view: (await answer.json()) as MediaView }
}
const text = async (path: string, init?: RequestInit) => await (await node.ask(path, init)).text()
const code = async (answer: Response) => [answer.status, ((await answer.json()) as Problem).code]
const post = (path: string, value: unknown, init: RequestInit = {}) =>
  node.ask(path, {
    method: 'POST',
    body: JSON.stringify(value),
    ...init,
    headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
  })
const newReader = async () => {
  const identity = await generateX25519Identity()
  return { identity, recipient: await identityToRecipient(identity) }
}
const readersOf = async (id: string) =>
  ((await (await node.ask(`/v1/media/${id}/readers`)).json()) as { readers: string[] }).readers
const grantOf = (id: string, recipient: string) => node.ask(`/v1/media/${id}/grant?reader=${recipient}`)

/** Files of a folder, however deep, that contain some text. */
function filesWith(folder: string, needle: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(needle))
}

describe('a private item', () => {
  const secret = `plaintext-${'x'.repeat(70_000)}-end`
  let item: MediaView

  beforeAll(async () => {
    const query = 'name=secret-name.txt&access=private&tags=secret-tag&title=secret-title'
    item = (await put(query, secret)).view
  })

  test('tells its owner what it is, and everybody else nothing', async () => {
    expect(item.name).toMatch(/^[0-9a-f]{32}\.age$/)
    expect(item).toMatchObject({ encrypted: true, access: 'private', size: secret.length + 184 + 2 * 16 })
    expect(item.plain).toMatchObject({
      name: 'secret-name.txt',
      tags: ['secret-tag'],
      media: { title: 'secret-title' },
      files: [{ path: 'secret-name.txt', size: secret.length, type: 'text/plain' }],
    })
    for (const path of ['', '/content', '/files', '/torrent', '/grant?reader=' + (await newReader()).recipient])
      expect(await code(await node.ask(`/v1/media/${item.id}${path}`, stranger))).toEqual([404, 'media_not_found'])
  })

  test('leaves no plaintext on the disk: neither bytes nor name, tags or title', async () => {
    for (const needle of ['plaintext-', 'secret-name', 'secret-tag', 'secret-title'])
      expect(filesWith(node.data, needle)).toEqual([])
    expect(filesWith(node.data, item.name)).not.toEqual([])
  })

  test('is read in the clear by its owner, whole, by ranges and by its own path', async () => {
    const whole = await node.ask(`/v1/media/${item.id}/content`)
    expect(await whole.text()).toBe(secret)
    expect(whole.headers.get('content-type')).toBe('text/plain')
    expect(whole.headers.get('content-disposition')).toContain('secret-name.txt')
    expect(whole.headers.get('cache-control')).toMatch(/^private/)
    expect(whole.headers.get('vary')).toMatch(/authorization/i)
    for (const [range, from, to] of [
      ['bytes=0-8', 0, 9],
      ['bytes=65530-65545', 65_530, 65_546],
      ['bytes=-4', secret.length - 4, secret.length],
    ] as const) {
      const answer = await node.ask(`/v1/media/${item.id}/content`, { headers: { range } })
      expect([answer.status, await answer.text()]).toEqual([206, secret.slice(from, to)])
    }
    expect(await text(`/v1/media/${item.id}/content/secret-name.txt`)).toBe(secret)
    const stored = await node.ask(`/v1/media/${item.id}/content/${item.name}`)
    expect(stored.headers.get('etag')).not.toBe(whole.headers.get('etag'))
    expect(await stored.text()).toMatch(/^age-encryption\.org\/v1\n-> X25519 /)
  })

  test('is ciphertext to peers', async () => {
    const answer = await node.ask(`/v1/media/${item.id}/ws/${item.name}`, stranger)
    expect(await answer.text()).toMatch(/^age-encryption\.org\/v1\n/)
  })

  test('is read in the clear after a restart', async () => {
    await node.restart()
    expect(await text(`/v1/media/${item.id}/content`)).toBe(secret)
  })
})

test('an encrypted item that is public keeps its name, and gives strangers its age file', async () => {
  const { view } = await put('name=open.txt&encrypt=true', 'in the clear')
  expect(view).toMatchObject({ name: 'open.txt.age', encrypted: true, access: 'public' })
  expect(view.files[0]).toMatchObject({ path: 'open.txt.age', type: 'application/vnd.age' })
  const answer = await node.ask(`/v1/media/${view.id}/content`, stranger)
  expect(answer.headers.get('vary')).toMatch(/authorization/i)
  expect(await answer.text()).toMatch(/^age-encryption/)
  expect((await (await node.ask(`/v1/media/${view.id}`, stranger)).json()) as MediaView).not.toHaveProperty('plain')
  expect(await text(`/v1/media/${view.id}/content`)).toBe('in the clear')
})

test.each([2, 300])('%i files keep their folders, order and types for who may read them', async (count) => {
  const form = new FormData()
  form.append('access', 'private')
  const names = Array.from({ length: count }, (_, n) => `album/disc ${n % 3}/track ${n}.txt`)
  for (const name of names) form.append('file', new Blob([`content of ${name}`]), name)
  const item = (await (await node.ask('/v1/media', { method: 'POST', body: form })).json()) as MediaView
  expect(item.plain?.name).toBe('album')
  expect(item.files[0]?.path).toBe('0.age')
  expect(item.fileCount).toBe(count === 2 ? 2 : 301)
  for (const name of [names[0], names.at(-1)] as string[]) {
    const path = name.slice('album/'.length)
    expect(await text(`/v1/media/${item.id}/content/${encodeURI(path)}`)).toBe(`content of ${name}`)
  }
  expect(await code(await node.ask(`/v1/media/${item.id}/content`))).toEqual([400, 'path_required'])
  expect(await code(await node.ask(`/v1/media/${item.id}/content/none`))).toEqual([404, 'file_not_found'])
})

test('the same content of the same owner is published once, for the readers of both', async () => {
  const [one, two] = [await newReader(), await newReader()]
  const first = await put(`name=twin&access=private&readers=${one.recipient}`, 'the same')
  const again = await put(`name=twin&access=private&readers=${two.recipient}`, 'the same')
  expect([first.status, again.status, again.view.id]).toEqual([201, 200, first.view.id])
  expect((await readersOf(first.view.id)).toSorted()).toEqual([one.recipient, two.recipient].toSorted())
  for (const query of ['name=other&access=private', 'name=twin&encrypt=true', 'name=twin'])
    expect((await put(query, 'the same')).status).toBe(201)
  const both = await Promise.all([1, 2].map(() => put('name=at-once&access=private', 'at once')))
  expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 201]))
  expect(both[0]?.view.id).toBe(both[1]?.view.id)
})

describe('readers', () => {
  test('get the identity of the item, until they are removed', async () => {
    const [one, two] = [await newReader(), await newReader()]
    const { view } = await put(`name=shared&access=private&readers=${one.recipient}`, 'for readers')
    const added = await post(`/v1/media/${view.id}/readers`, { readers: [two.recipient] })
    expect(added.status).toBe(200)
    expect((await readersOf(view.id)).toSorted()).toEqual([one.recipient, two.recipient].toSorted())
    const bytes = new Uint8Array(await (await node.ask(`/v1/media/${view.id}/ws/${view.name}`)).arrayBuffer())
    for (const { identity, recipient } of [one, two]) {
      const { wrapped } = (await (await grantOf(view.id, recipient)).json()) as { wrapped: string }
      const item = await openGrant(wrapped, (file) => openSmall(file, identity))
      expect(new TextDecoder().decode(await openSmall(bytes, item.identity))).toBe('for readers')
    }
    const path = `/v1/media/${view.id}/readers/${one.recipient}`
    for (let time = 0; time < 2; time++) expect((await node.ask(path, { method: 'DELETE' })).status).toBe(200)
    expect(await readersOf(view.id)).toEqual([two.recipient])
    expect(await code(await grantOf(view.id, one.recipient))).toEqual([404, 'grant_not_found'])
    expect((await grantOf(view.id, two.recipient)).status).toBe(200)
  })

  test('with a token of that reader read it, others do not', async () => {
    const [reader, other] = [await newReader(), await newReader()]
    const { view } = await put(`name=tokens&access=private&readers=${reader.recipient}`, 'by token')
    const tokenOf = async (terms: object) => {
      const answer = await post('/v1/tokens', {
        label: 'x',
        owner: 'somebody',
        scopes: ['media:read-private'],
        ...terms,
      })
      return ((await answer.json()) as { token: string }).token
    }
    const read = async (token: string) => {
      const answer = await node.ask(`/v1/media/${view.id}/content`, { headers: { authorization: `Bearer ${token}` } })
      return [answer.status, await answer.text()]
    }
    const granted = await tokenOf({ reader: reader.recipient })
    expect(await read(granted)).toEqual([200, 'by token'])
    expect((await read(await tokenOf({ reader: other.recipient })))[0]).toBe(404)
    expect((await read(await tokenOf({ reader: reader.recipient, scopes: ['media:write'] })))[0]).toBe(404)
    await node.ask(`/v1/media/${view.id}/readers/${reader.recipient}`, { method: 'DELETE' })
    expect((await read(granted))[0]).toBe(404)
  })

  test('are age recipients of encrypted items', async () => {
    const plain = await put('name=plain', 'not encrypted')
    const { recipient } = await newReader()
    const path = `/v1/media/${plain.view.id}/readers`
    expect(await code(await post(path, { readers: [recipient] }))).toEqual([409, 'not_encrypted'])
    const { view } = await put('name=bad-readers&access=private', 'x')
    const low = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z'
    expect((await put(`name=low&access=private&readers=${low}`, 'x')).status).toBe(400)
    for (const wrong of [
      low,
      'nobody',
      `${recipient.slice(0, -1)}${recipient.endsWith('q') ? 'p' : 'q'}`,
      'constructor',
    ])
      expect(await code(await post(`/v1/media/${view.id}/readers`, { readers: [wrong] }))).toEqual([
        400,
        'invalid_input',
      ])
    for (const body of [{}, { readers: [] }, { readers: 'x' }, { readers: Array(101).fill(recipient) }])
      expect(await code(await post(`/v1/media/${view.id}/readers`, body))).toEqual([400, 'invalid_input'])
  })
})

describe('rotation', () => {
  test('publishes a successor under a new identity for the readers that are left, and retracts the old item', async () => {
    const [kept, removed] = [await newReader(), await newReader()]
    const readers = `${kept.recipient},${removed.recipient}`
    const { view } = await put(`name=old.txt&access=private&tags=a,b&readers=${readers}`, 'to be rotated')
    await node.ask(`/v1/media/${view.id}/readers/${removed.recipient}`, { method: 'DELETE' })
    const answer = await post(`/v1/media/${view.id}/rotate`, {})
    expect(answer.status).toBe(201)
    const successor = (await answer.json()) as MediaView
    expect(successor.id).not.toBe(view.id)
    expect(successor.files[0]?.sha256).not.toBe(view.files[0]?.sha256)
    expect(successor.plain).toEqual(view.plain)
    expect(await text(`/v1/media/${successor.id}/content`)).toBe('to be rotated')
    expect(await code(await node.ask(`/v1/media/${view.id}`))).toEqual([410, 'media_retracted'])
    expect(await readersOf(successor.id)).toEqual([kept.recipient])
    expect((await grantOf(successor.id, kept.recipient)).status).toBe(200)
    expect((await grantOf(successor.id, removed.recipient)).status).toBe(404)
    expect(await code(await post(`/v1/media/${view.id}/rotate`, {}))).toEqual([410, 'media_retracted'])
  })

  test('asked for twice at once, happens once', async () => {
    const { view } = await put('name=twice&access=private', 'twice')
    const answers = await Promise.all([1, 2].map(() => post(`/v1/media/${view.id}/rotate`, {})))
    const [one, two] = (await Promise.all(answers.map((answer) => answer.json()))) as MediaView[]
    expect(one?.id).toBe(two?.id)
  })

  test('is planned, and planned no more', async () => {
    const { view } = await put('name=planned&access=private', 'planned')
    const path = `/v1/media/${view.id}/rotation`
    const plan = (everySeconds: unknown) =>
      node.ask(path, {
        method: 'PUT',
        body: JSON.stringify({ everySeconds }),
        headers: { 'content-type': 'application/json' },
      })
    expect(await (await node.ask(path)).json()).toMatchObject({ everySeconds: null, nextAt: null })
    const before = Date.now()
    const planned = (await (await plan(86_400)).json()) as { nextAt: number }
    expect(planned.nextAt).toBeGreaterThanOrEqual(before + 86_400_000)
    expect(await (await plan(null)).json()).toMatchObject({ everySeconds: null, nextAt: null })
    for (const wrong of [1, 0, -1, 1.5, 'x', undefined]) expect((await plan(wrong)).status).toBe(400)
  })
})

test('what is too long for a sealed manifest, or contradicts itself, is refused', async () => {
  const tags = Array.from({ length: 32 }, (_, n) => `${n}${'é'.repeat(60)}`).join(',')
  expect(
    await code(
      await node.ask(`/v1/media?name=x&access=private&tags=${encodeURIComponent(tags)}`, { method: 'PUT', body: 'x' }),
    ),
  ).toEqual([422, 'description_too_long'])
  expect((await put('name=x&access=private&encrypt=false', 'x')).status).toBe(422)
  expect((await put(`name=${'n'.repeat(253)}&encrypt=true`, 'x')).status).toBe(400)
  await node.swept()
})

describe('a GUN SEA key', () => {
  const register = (body: object) => post('/v1/readers', body, stranger)
  const newPair = async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
    const { x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
    const sign = async (message: object) => {
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(message)))
      const bytes = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, digest)
      return `SEA${JSON.stringify({ m: message, s: Buffer.from(bytes).toString('base64') })}`
    }
    return { pub: `${x}.${y}`, sign }
  }

  test('that is registered by its own signature is a name for its recipient', async () => {
    const { id } = (await (await node.ask('/v1/node')).json()) as { id: string }
    const [{ pub, sign }, { recipient }] = [await newPair(), await newReader()]
    expect(
      await code(await node.ask(`/v1/media?name=n&encrypt=1&readers=${pub}`, { method: 'PUT', body: 'x' })),
    ).toEqual([400, 'invalid_input'])
    const answer = await register({ pub, signed: await sign({ recipient, node: id, at: Date.now() }) })
    expect(await answer.json()).toEqual({ reader: pub, recipient })
    const { view } = await put(`name=by-name&access=private&readers=${pub}`, 'by name')
    expect(await readersOf(view.id)).toEqual([recipient])
    expect((await node.ask(`/v1/media/${view.id}/readers/${pub}`, { method: 'DELETE' })).status).toBe(200)
    expect(await readersOf(view.id)).toEqual([])
    expect((await post(`/v1/media/${view.id}/readers`, { readers: [pub] })).status).toBe(200)
    expect((await grantOf(view.id, recipient)).status).toBe(200)
  })

  test('is registered by nobody else', async () => {
    const { id } = (await (await node.ask('/v1/node')).json()) as { id: string }
    const [mine, theirs] = [await newPair(), await newPair()]
    const { recipient } = await newReader()
    const signed = await theirs.sign({ recipient, node: id, at: Date.now() })
    expect(await code(await register({ pub: mine.pub, signed }))).toEqual([403, 'registration_refused'])
    for (const body of [{}, { pub: mine.pub }, { pub: 'x', signed }, { pub: mine.pub, signed, more: 1 }])
      expect(await code(await register(body))).toEqual([400, 'invalid_input'])
  })
})
