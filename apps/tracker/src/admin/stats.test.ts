import { expect, it } from 'vitest'
import { Rates } from './rates.ts'
import { sumStats, type WorkerStats } from './stats.ts'

const worker = (index: number, swarms: number): WorkerStats => ({
  worker: index,
  pid: 100 + index,
  uptimeSeconds: 10,
  swarms,
  peers: { ipv4: { giving: 1, fetching: 2 }, ipv6: { giving: 0, fetching: 1 }, webSocket: { giving: 3, fetching: 0 } },
  webSockets: 2,
  bans: index,
  rates: { http_announce: 1.1 },
  refused: { denied: index },
  memory: { rss: 1000, heapUsed: 1, external: 2, arrayBuffers: 3 },
  largest: Array.from({ length: 15 }, (_, i) => ({
    infoHash: String(index * 100 + i),
    complete: i,
    incomplete: index,
    downloaded: 0,
  })),
})

it('all processes are one tracker', () => {
  const network = { links: 2, inStep: 1, member: true, ready: true, live: 7, denied: 1 }
  const stats = sumStats({ mode: 'open', ledger: null, network }, [worker(1, 5), worker(2, 7)])
  expect(stats).toMatchObject({
    mode: 'open',
    swarms: 12,
    peers: {
      total: 14,
      ipv4: { giving: 2, fetching: 4 },
      ipv6: { giving: 0, fetching: 2 },
      webSocket: { giving: 6, fetching: 0 },
    },
    webSockets: 4,
    bans: 2,
    rates: { http_announce: 2.2 },
    refused: { denied: 3 },
    memory: { rss: 2000 },
    ledger: null,
    network,
  })
  expect(stats.workers).toHaveLength(2)
  expect(stats.largest).toHaveLength(20)
  expect(stats.largest.slice(0, 3).map(({ infoHash }) => infoHash)).toEqual(['214', '114', '213'])
})

it('rates are those of the last minute', () => {
  const rates = new Rates()
  expect(rates.since(0, { a: 5 })).toEqual({})
  for (let at = 0; at <= 120_000; at += 10_000) rates.note(at, { a: at / 100 })
  expect(rates.since(125_000, { a: 1850, b: 65 })).toEqual({ a: 19.23, b: 1 })
})
