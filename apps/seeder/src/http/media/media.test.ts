import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'
import { Uploads, view } from '../testing/uploads.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode

beforeAll(async () => {
  node = await startTestNode()
})
afterAll(() => node.stop())

const metric = async (name: string) =>
  Number(new RegExp(`^eldernode_${name} (.*)$`, 'm').exec(await (await node.ask('/metrics')).text())?.[1])

test('who takes the torrent file of an item wakes it ahead of its peers', async () => {
  const { id } = await view(await new Uploads(node).put('asleep.bin', randomBytes(50_000)))
  await node.restart()
  await vi.waitFor(async () => expect(await metric('swarm_torrents')).toBe(1), 20_000)
  for (const rest of ['', '/files', '/content']) expect((await node.ask(`/v1/media/${id}${rest}`)).status).toBe(200)
  expect(await metric('swarm_awake')).toBe(0)
  expect((await node.ask(`/v1/media/${id}/torrent`)).status).toBe(200)
  await vi.waitFor(async () => expect(await metric('swarm_awake')).toBe(1), 20_000)
})
