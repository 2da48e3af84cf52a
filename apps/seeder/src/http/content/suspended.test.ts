import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskUnwritableError } from '@eldernode/core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { problemOf } from '../problem.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

let node: TestNode
beforeAll(async () => {
  node = await startTestNode()
})
afterAll(() => node.stop())

const patience = { timeout: 20_000, interval: 50 }

async function code(answer: Response): Promise<[number, unknown]> {
  return [answer.status, ((await answer.json()) as { code?: unknown }).code]
}

const upload = () => node.ask('/v1/media?name=new.bin', { method: 'PUT', body: 'new' })
const metric = async () => /^eldernode_storage_suspended (\d)$/m.exec(await (await node.ask('/metrics')).text())?.[1]

test('a disk that goes away is said by /ready, the metrics and every answer that needs it, until it is back', async () => {
  const put = await node.ask('/v1/media?name=kept.bin', { method: 'PUT', body: 'kept' })
  const { id } = (await put.json()) as { id: string }
  const [blobs, away] = [join(node.data, 'blobs'), join(node.data, 'away')]
  expect(await metric()).toBe('0')

  await rename(blobs, away)
  expect(await code(await node.ask(`/v1/media/${id}/content`))).toEqual([503, 'storage_suspended'])
  expect(await code(await upload())).toEqual([503, 'storage_suspended'])
  const ready = await node.ask('/ready')
  expect(ready.status).toBe(503)
  expect(await ready.text()).toContain('is its disk mounted?')
  expect(await metric()).toBe('1')
  expect((await node.ask(`/v1/media/${id}`)).status).toBe(200)

  for (const [action, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    const answer = await node.ask(`/v1/media/${id}/${action}`, { method: 'POST' })
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ paused })])
  }

  await rename(away, blobs)
  await vi.waitFor(async () => expect((await node.ask('/ready')).status).toBe(200), patience)
  expect(await (await node.ask(`/v1/media/${id}/content`)).text()).toBe('kept')
})

test('items are taken down, and copies dropped, while the disk is away', async () => {
  const publish = async (name: string) => {
    const answer = await node.ask(`/v1/media?name=${name}`, { method: 'PUT', body: name })
    return (await answer.json()) as { id: string }
  }
  const [mistake, copy] = [await publish('mistake'), await publish('copy')]
  const [blobs, away] = [join(node.data, 'blobs'), join(node.data, 'away')]
  await rename(blobs, away)
  expect(await code(await upload())).toEqual([503, 'storage_suspended'])
  const taken = await node.ask(`/v1/media/${mistake.id}`, { method: 'DELETE' })
  expect([taken.status, await taken.json()]).toEqual([200, expect.objectContaining({ state: 'retracted' })])
  const dropped = await node.ask(`/v1/media/${copy.id}?local=1`, { method: 'DELETE' })
  expect([dropped.status, await dropped.json()]).toEqual([200, { id: copy.id, state: 'dropped' }])
  await rename(away, blobs)
  await vi.waitFor(async () => expect((await node.ask('/ready')).status).toBe(200), patience)
  expect(await code(await node.ask(`/v1/media/${mistake.id}/content`))).toEqual([410, 'media_retracted'])
  expect(await code(await node.ask(`/v1/media/${copy.id}/content`))).toEqual([404, 'media_not_found'])
})

test('a disk that takes no writes is a fault of the node that may pass, told with its folder', () => {
  const cause = Object.assign(new Error('read-only'), { code: 'EROFS' })
  const problem = problemOf(DiskUnwritableError.of(cause, '/srv/disk'))
  expect([problem.status, problem.code]).toEqual([503, 'disk_unwritable'])
  expect(problem.detail).toContain('/srv/disk')
})

test('a node that its network has not admitted pauses all the same', async () => {
  const put = await node.ask('/v1/media?name=mine.bin', { method: 'PUT', body: 'mine' })
  const { id } = (await put.json()) as { id: string }
  const owner = 'A'.repeat(43)
  await node.restart({ network: { owner } })
  expect((await node.ask('/ready')).status).toBe(503)
  expect(await code(await upload())).toEqual([503, 'not_ready'])
  const answer = await node.ask(`/v1/media/${id}/pause`, { method: 'POST' })
  expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ paused: true })])
})
