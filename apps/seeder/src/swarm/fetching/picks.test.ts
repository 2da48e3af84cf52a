import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSwarm } from '../index.ts'
import type { Fetched, FetchRequest, Picks, Swarm } from '../index.ts'
import { Workbench } from '../testing/workbench.ts'
import type { MadeTorrent } from '../testing/workbench.ts'

vi.setConfig({ testTimeout: 20_000 })

const pieceLength = 16_384
const pieces = 40
const patience = { timeout: 10_000, interval: 5 }

let bench: Workbench
let made: MadeTorrent
let seeder: Swarm
let leecher: Swarm
let arrived: number[]
let picks: Picks | undefined

beforeEach(async () => {
  bench = await Workbench.open(createSwarm)
  made = await bench.torrent('item', [
    ['a', 10 * pieceLength + 5],
    ['b', (pieces - 11) * pieceLength],
  ])
  seeder = await bench.swarm()
  seeder.seed(made.infoHash)
  leecher = await bench.swarm()
  ;[arrived, picks] = [[], undefined]
})
afterEach(() => bench.close())

const begin = async (
  more: Partial<FetchRequest> = {},
): Promise<{ request: FetchRequest; fetching: Promise<Fetched> }> => {
  const request = await bench.request(made, {
    peers: [`127.0.0.1:${seeder.port}`],
    picks: (given) => (picks = given),
    onPiece: (piece) => arrived.push(piece),
    ...more,
  })
  const fetching = leecher.fetch(request)
  fetching.catch(() => undefined)
  await vi.waitUntil(() => picks !== undefined, patience)
  return { request, fetching }
}

test('only what is picked is fetched, until all of it is', async () => {
  const { request, fetching } = await begin()
  const end = picks?.want(20, 24)
  await vi.waitUntil(() => arrived.length === 5, patience)
  end?.()
  expect(arrived.toSorted((a, b) => a - b)).toEqual([20, 21, 22, 23, 24])
  expect([19, 20, 24, 25].map((piece) => picks?.has(piece))).toEqual([false, true, true, false])
  // Connected all the while, it asks for nothing else.
  await vi.waitUntil(() => leecher.stats().connections > 0, patience)
  expect(leecher.stats().downloaded).toBeLessThan(8 * pieceLength)
  picks?.all()
  await fetching
  expect(arrived).toHaveLength(pieces)
  for (const [index, content] of made.contents.entries())
    expect((await readFile(request.filePath(index))).equals(content)).toBe(true)
})

test('two who want the same pieces get them, and one that ends takes nothing from the other', async () => {
  leecher.limit({ downloadLimit: 8 * pieceLength })
  await begin()
  const first = picks?.want(5, 20)
  picks?.want(5, 20)
  await vi.waitUntil(() => arrived.length > 0, patience)
  first?.()
  first?.()
  leecher.limit({ downloadLimit: 0 })
  await vi.waitUntil(() => arrived.length === 16, patience)
  expect(arrived.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, n) => n + 5))
})

test('what is wanted comes before the rest', async () => {
  leecher.limit({ downloadLimit: 16 * pieceLength })
  const { fetching } = await begin()
  picks?.all()
  picks?.want(30, 33)
  await vi.waitUntil(() => arrived.length >= 4, patience)
  // The first block asked of a peer may be another's, so that one piece of the rest may be among them.
  expect(arrived.slice(0, 5).filter((piece) => piece >= 30 && piece <= 33).length).toBeGreaterThanOrEqual(3)
  leecher.limit({ downloadLimit: 0 })
  await fetching
})

test('picks that end after the fetch are no fault', async () => {
  const abort = new AbortController()
  const { fetching } = await begin({ signal: abort.signal })
  const end = picks?.want(0, 3)
  abort.abort(new Error('left'))
  await expect(fetching).rejects.toThrow('left')
  await vi.waitUntil(() => leecher.stats().torrents === 0, patience)
  end?.()
  picks?.want(0, 3)()
  picks?.all()()
})
