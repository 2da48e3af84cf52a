import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Swarm } from '../index.ts'
import { Workbench } from '../testing/workbench.ts'
import type { MadeTorrent } from '../testing/workbench.ts'

let bench: Workbench

beforeEach(async () => {
  bench = await Workbench.open()
})

afterEach(() => bench.close())

/** A tracker that answers when it is let, and what it was told. */
async function slowTracker(): Promise<{ url: string; told: string[]; answer(): void }> {
  const told: string[] = []
  const waiting: (() => void)[] = []
  let isSlow = true
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://tracker')
    told.push(`${searchParams.get('event') ?? 'update'} ${searchParams.get('left') === '0' ? 'whole' : 'in part'}`)
    const answer = (): void => void response.end('d8:intervali120e5:peers0:e')
    if (isSlow) waiting.push(answer)
    else answer()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  bench.onClose(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`,
    told,
    answer: () => {
      isSlow = false
      for (const answer of waiting.splice(0)) answer()
    },
  }
}

async function setUp(url: string): Promise<{ made: MadeTorrent; leecher: Swarm; fetch(): Promise<unknown> }> {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const seeder = await bench.swarm()
  seeder.seed(made.infoHash)
  const leecher = await bench.swarm({ trackers: [url] })
  const request = await bench.request(made, { peers: [`127.0.0.1:${seeder.port}`] })
  return { made, leecher, fetch: () => leecher.fetch(request) }
}

test('a tracker hears that what was fetched is complete, though it took its time to answer', async () => {
  const { url, told, answer } = await slowTracker()
  const { made, leecher, fetch } = await setUp(url)
  const fetched = fetch()
  await vi.waitFor(() => expect(told).toEqual(['started in part']))
  await fetched
  leecher.seed(made.infoHash)
  answer()
  await vi.waitFor(() => expect(told).toEqual(['started in part', 'completed whole']))
  await leecher.close()
  expect(told).toEqual(['started in part', 'completed whole', 'stopped whole'])
})

test('a fetch that is given up ends with a farewell that says what is missing', async () => {
  const { url, told, answer } = await slowTracker()
  answer()
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const leecher = await bench.swarm({ trackers: [url] })
  const giveUp = new AbortController()
  const fetching = leecher.fetch(await bench.request(made, { signal: giveUp.signal }))
  fetching.catch(() => {})
  await vi.waitFor(() => expect(told).toEqual(['started in part']))
  giveUp.abort(new Error('given up'))
  await expect(fetching).rejects.toThrow('given up')
  await vi.waitFor(() => expect(told).toEqual(['started in part', 'stopped in part']))
})
