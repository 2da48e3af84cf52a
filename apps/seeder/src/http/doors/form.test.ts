import { randomBytes } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { askAs, makeToken } from '../testing/tokens.ts'
import { formOf, problem } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const room = 4 * 2 ** 20
let node: TestNode
beforeAll(async () => {
  node = await startTestNode({ quota: { bytes: room, items: 3 } })
})
afterEach(() => node.swept())
afterAll(() => node.stop())

const tokenOf = async (owner: string) => (await makeToken(node, owner, ['media:write', 'media:read-private'])).token

/** How many bytes lie in staging. */
function staged(): number {
  const incoming = join(node.data, 'incoming')
  return readdirSync(incoming, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(incoming, name), { throwIfNoEntry: false }))
    .reduce((sum, entry) => sum + (entry?.isFile() === true ? entry.size : 0), 0)
}

/** Begins a form without an end, and leaves it open. */
function begin(path: string, token: string) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=B' }
  const sent = request(node.url + path, { method: 'POST', headers })
  const answer = new Promise<string>((resolve) => {
    sent.on('error', () => resolve('gone'))
    sent.on('response', (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('error', () => resolve(text))
      response.on('end', () => resolve(text))
    })
  })
  sent.write('--B\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n\r\n')
  return { sent, answer }
}

test.each(['/upload', '/api/media/upload'])('the file of a form for %s counts as it arrives', async (path) => {
  const token = await tokenOf(`a ${path}`)
  const { sent, answer } = begin(path, token)
  sent.write(randomBytes(room - 100_000))
  await vi.waitUntil(() => staged() > room - 300_000, { timeout: 20_000 })
  // What is not published yet has taken the room that another one would need.
  const other = () =>
    askAs(node, token)(path, { method: 'POST', body: formOf([['b', new Uint8Array(randomBytes(200_000))]]) })
  expect(await problem(other())).toEqual([507, 'storage_quota_exceeded'])
  // More of it than its owner may have is refused before its end.
  sent.write(randomBytes(200_000))
  expect(await answer).toContain('storage_quota_exceeded')
  sent.destroy()
  await node.swept()
  expect((await other()).status).toBe(200)
})

test.each(['/upload', '/api/media/upload'])('%s reads nothing of who may have no more', async (path) => {
  const token = await tokenOf(`b ${path}`)
  for (const n of [1, 2, 3]) {
    const sent = await askAs(node, token)(path, { method: 'POST', body: formOf([['a', `${path} ${n}`]]) })
    expect(sent.status).toBe(200)
  }
  const { sent, answer } = begin(path, token)
  expect(await answer).toContain('item_quota_exceeded')
  expect(staged()).toBe(0)
  sent.destroy()
})
