import { randomBytes } from 'node:crypto'
import { rmSync, utimesSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from '../media/media-view.ts'
import type { Problem } from '../problem.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode

beforeAll(async () => {
  node = await startTestNode()
})
afterAll(() => node.stop())

const publish = async (name: string, body: Uint8Array<ArrayBuffer>) =>
  (await (await node.ask(`/v1/media?name=${name}`, { method: 'PUT', body })).json()) as MediaView
const problem = async (path: string) => {
  const answer = await node.ask(path)
  return [answer.status, ((await answer.json()) as Problem).code]
}

test('bytes that changed on disk are not served', async () => {
  const { id, sha256 } = await publish('changed.bin', randomBytes(1000))
  utimesSync(join(node.data, 'blobs', sha256.slice(0, 2), sha256), 1, 1)
  const answer = await node.ask(`/v1/media/${id}/content`)
  expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([503, 'media_being_checked'])
  expect(answer.headers.get('retry-after')).toBe('2')
})

test('an item that lost its bytes is unavailable, not unknown, by either id', async () => {
  const { id, sha256 } = await publish('lost.bin', randomBytes(1000))
  rmSync(join(node.data, 'blobs', sha256.slice(0, 2), sha256))
  for (const name of [id, sha256]) {
    const head = await node.ask(`/v1/media/${name}/content`, { method: 'HEAD' })
    expect([head.status, head.headers.get('retry-after')]).toEqual([503, '60'])
    for (const rest of ['/content', '/content/lost.bin', '/ws/lost.bin', '/torrent', '/files'])
      expect(await problem(`/v1/media/${name}${rest}`)).toEqual([503, 'media_being_mended'])
    expect(await (await node.ask(`/v1/media/${name}`)).json()).toMatchObject({ id, condition: 'damaged' })
  }
  expect((await node.ask(`/v1/media/${id}?local=1`, { method: 'DELETE' })).status).toBe(200)
  expect(await problem(`/v1/media/${id}/content`)).toEqual([404, 'media_not_found'])
})

test('an answer under way ends when its file turns out to have changed', async () => {
  const { id, sha256 } = await publish('changes.bin', randomBytes(40_000_000))
  const socket = connect(Number(new URL(node.url).port), '127.0.0.1')
  const closed = new Promise<number>((resolve) => {
    let received = 0
    socket.once('error', () => undefined)
    socket.once('close', () => resolve(received))
    socket.on('data', (chunk) => (received += chunk.length))
  })
  socket.write(`GET /v1/media/${id}/content HTTP/1.1\r\nHost: ${new URL(node.url).host}\r\n\r\n`)
  await new Promise((resolve) => socket.once('data', resolve))
  socket.pause()
  const path = join(node.data, 'blobs', sha256.slice(0, 2), sha256)
  utimesSync(path, 1, 1)
  expect((await node.ask(`/v1/media/${id}/content`)).status).not.toBe(200)
  socket.resume()
  expect(await closed).toBeLessThan(40_000_000)
})
