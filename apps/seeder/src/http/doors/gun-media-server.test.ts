import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

const like = (pattern: RegExp): unknown => expect.stringMatching(pattern)
const anything: unknown = expect.anything()

let node: TestNode
beforeAll(async () => {
  node = await startTestNode()
})
afterAll(() => node.stop())

const bytes = 'what a client of the GUN media server sends'
const hash = (text: string) => createHash('sha256').update(text).digest('hex')

interface Uploaded {
  success: boolean
  fileId: string
  fileName: string
  url: string
  metadata: Record<string, unknown>
}

async function upload(fields: Record<string, string>, text = bytes): Promise<Response> {
  const form = new FormData()
  form.append('file', new Blob([text]), 'clip.txt')
  // Clients append what else they say behind the file.
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return await node.ask('/upload', { method: 'POST', body: form })
}

test('uploads, reads and describes as that server did', async () => {
  const response = await upload({ encrypt: 'false' })
  expect(response.status).toBe(200)
  const sent = (await response.json()) as Uploaded
  const fileId = hash(bytes)
  expect(sent).toMatchObject({ success: true, fileId, fileName: 'clip.txt', url: `/file/${fileId}` })
  expect(sent.metadata).toMatchObject({
    fileId,
    originalName: 'clip.txt',
    size: bytes.length,
    hash: `sha256:${fileId}`,
    encrypted: false,
    uploadedAt: like(/^\d{4}-\d\d-\d\dT.*Z$/),
    peers: anything,
    replicas: 3,
  })
  const whole = await fetch(node.url + sent.url)
  expect([whole.status, whole.headers.get('content-length'), await whole.text()]).toEqual([
    200,
    String(bytes.length),
    bytes,
  ])
  const part = await fetch(node.url + sent.url, { headers: { range: 'bytes=5-9' } })
  expect([part.status, await part.text()]).toEqual([206, bytes.slice(5, 10)])
  const metadata = await fetch(`${node.url}/metadata/${fileId}`)
  expect(await metadata.json()).toMatchObject({ fileId, size: bytes.length, contentType: anything })
})

test('nothing is left in staging, and a refused form leaves nothing either', async () => {
  expect((await upload({ encrypt: 'perhaps' }, 'refused')).status).toBe(400)
  expect((await node.ask('/upload', { method: 'POST', body: new FormData() })).status).toBe(400)
  expect(await readdir(join(node.data, 'incoming'))).toEqual([])
})

test('with encrypt the stored bytes are an age file, which strangers get, and its owner the bytes', async () => {
  const secret = 'for few eyes only'
  const { fileId, metadata } = (await (await upload({ encrypt: 'true' }, secret)).json()) as Uploaded
  expect([metadata['encrypted'], fileId === hash(secret)]).toEqual([true, false])
  expect(await (await fetch(`${node.url}/file/${fileId}`)).text()).toMatch(/^age-encryption\.org\/v1\n/)
  expect(await (await node.ask(`/file/${fileId}`)).text()).toBe(secret)
})

test('what an encrypted file was is told to its owner, and to strangers what is stored', async () => {
  const secret = 'told to few'
  const { fileId, fileName } = (await (await upload({ encrypt: 'true' }, secret)).json()) as Uploaded
  expect(fileName).toBe('clip.txt')
  const owner: unknown = await (await node.ask(`/metadata/${fileId}`)).json()
  const stranger = (await (await fetch(`${node.url}/metadata/${fileId}`)).json()) as { size: number }
  const plain = { fileName: 'clip.txt', originalName: 'clip.txt', size: secret.length, contentType: 'text/plain' }
  expect(owner).toMatchObject({ fileId, ...plain })
  expect(stranger).toMatchObject({ fileId, fileName: like(/\.age$/), contentType: 'application/vnd.age' })
  expect(stranger.size).toBeGreaterThan(secret.length)
})

test.each([
  ['by commas', (all: string[]) => all.join(' , ')],
  ['as a JSON list', (all: string[]) => JSON.stringify(all)],
])('readerPubKeys name age recipients %s, for whom the file is encrypted', async (how, write) => {
  const identities = await Promise.all([generateX25519Identity(), generateX25519Identity()])
  const readers = await Promise.all(identities.map(identityToRecipient))
  const text = `for readers ${how}`
  const { fileId, metadata } = (await (await upload({ readerPubKeys: write(readers) }, text)).json()) as Uploaded
  expect(metadata['encrypted']).toBe(true)
  const named = (await (await node.ask(`/v1/media/${fileId}/readers`)).json()) as { readers: string[] }
  expect(named.readers.toSorted()).toEqual(readers.toSorted())
})

test.each(['age1nothing', '["age1', '[1]', '-----BEGIN PUBLIC KEY-----'])('refuses the reader %s', async (reader) => {
  expect([400, 422]).toContain((await upload({ readerPubKeys: reader }, `for ${reader}`)).status)
})

test('what is not there is said as that server said it', async () => {
  const response = await fetch(`${node.url}/metadata/${'0'.repeat(64)}`)
  expect([response.status, await response.json()]).toEqual([404, { error: like(/No item/) }])
  expect((await fetch(`${node.url}/file/${'0'.repeat(64)}`)).status).toBe(404)
  expect((await fetch(`${node.url}/file/..%2f..%2fetc`)).status).toBe(400)
})

test('peers are named without being trusted, and copies asked for', async () => {
  const post = (path: string, body: object) =>
    node.ask(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  const registered = await post('/register-peer', { peerUrl: 'http://10.9.8.7:1/gun', capabilities: ['seed'] })
  expect(await registered.json()).toMatchObject({ success: true, message: like(/Nothing signed/) })
  const { fileId } = (await (await upload({})).json()) as Uploaded
  const asked = await post(`/replicate/${fileId}`, { sourcePeerUrl: 'http://10.9.8.7:1' })
  expect(await asked.json()).toEqual({ success: true, message: 'This node holds a copy.' })
  expect((await post(`/replicate/${'0'.repeat(64)}`, {})).status).toBe(404)
})

test.each([
  ['POST', '/upload'],
  ['POST', '/register-peer'],
  ['POST', `/replicate/${'0'.repeat(64)}`],
])('%s %s needs the token', async (method, path) => {
  expect((await fetch(node.url + path, { method })).status).toBe(401)
})

test('the older settings say what an upload is that says nothing', async () => {
  await node.restart({ compat: { encrypt: true, private: false } })
  const open = (await (await upload({}, 'encrypted by default')).json()) as Uploaded
  expect(open.metadata['encrypted']).toBe(true)
  expect((await fetch(`${node.url}/metadata/${open.fileId}`)).status).toBe(200)
  await node.restart({ compat: { encrypt: false, private: true } })
  const hidden = (await (await upload({}, 'private by default')).json()) as Uploaded
  expect((await fetch(`${node.url}/metadata/${hidden.fileId}`)).status).toBe(404)
  expect((await node.ask(`/metadata/${hidden.fileId}`)).status).toBe(200)
})
