import { pino } from 'pino'
import { expect, it } from 'vitest'
import { ailments, ailmentsOf } from './health.ts'
import { Measures } from './measures.ts'

const measured = (limits: { swarms: number; peers: number }) => {
  const logged: Record<string, unknown>[] = []
  const state = { now: 0, swarms: 0, announces: 0, looks: 0 }
  const measures = new Measures({
    worker: 3,
    swarms: {
      get swarms() {
        return state.swarms
      },
      peers: 7,
      peersOf: (kind, isFetching) => 10 * kind + (isFetching ? 1 : 0),
      largest: (count) => {
        state.looks++
        return Array.from({ length: count }, () => ({ infoHash: 'a', complete: 1, incomplete: 2, downloaded: 3 }))
      },
    },
    webSockets: { sockets: 2 },
    manners: { bans: 6 },
    answered: () => ({ http_announce: state.announces }),
    refused: () => ({ udp_forged: 4 }),
    limits,
    log: pino({}, { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }),
    now: () => state.now,
  })
  return { measures, logged, state }
}

it('reads what this process knows of itself', () => {
  const { measures, state } = measured({ swarms: 100, peers: 100 })
  measures.note()
  state.now = 20_000
  state.announces = 50
  const { memory, pid, largest, ...rest } = measures.read()
  expect(rest).toEqual({
    worker: 3,
    uptimeSeconds: 20,
    swarms: 0,
    peers: {
      ipv4: { giving: 0, fetching: 1 },
      ipv6: { giving: 10, fetching: 11 },
      webSocket: { giving: 20, fetching: 21 },
    },
    webSockets: 2,
    bans: 6,
    rates: { http_announce: 2.5 },
    refused: { udp_forged: 4 },
  })
  expect([pid, largest.length]).toEqual([process.pid, 20])
  expect(memory.rss).toBeGreaterThan(1e6)
})

it('sums up every ten minutes, without looking for large swarms, and is silent otherwise', () => {
  const { measures, logged, state } = measured({ swarms: 100, peers: 100 })
  for (let reading = 0; reading <= 120; reading++) {
    measures.note()
    state.now += 10_000
  }
  expect(logged).toHaveLength(2)
  expect(logged[0]).toMatchObject({ msg: 'the last ten minutes', peers: 7, webSockets: 2, refused: { udp_forged: 4 } })
  expect(state.looks).toBe(0)
})

it('warns of a limit once each time it comes near', () => {
  const { measures, logged, state } = measured({ swarms: 100, peers: 100 })
  for (const count of [89, 90, 99, 85, 95, 79, 91]) {
    state.swarms = count
    measures.note()
  }
  expect(logged.map(({ msg, level, swarms }) => [msg, level, swarms])).toEqual([
    ['limits.swarms is near: beyond it newcomers are turned away', 40, 90],
    ['limits.swarms is near: beyond it newcomers are turned away', 40, 91],
  ])
})

it('knows why it serves nobody', () => {
  const vitals = (isListening: boolean, isStopping: boolean, areKeysMissing: boolean) =>
    ailments({ isListening: () => isListening, isStopping: () => isStopping, areKeysMissing: () => areKeysMissing })
  expect(vitals(true, false, false)).toEqual([])
  expect(vitals(true, true, false)).toEqual(['it is stopping'])
  expect(vitals(false, false, true)).toEqual([
    'it does not listen on TCP and UDP',
    'it has heard of no passkey yet: its ledger does not answer',
  ])
  expect(ailmentsOf(3, [[], [], []])).toEqual([])
  expect(ailmentsOf(3, [[], ['x'], ['x']])).toEqual(['x'])
  expect(ailmentsOf(3, [[], 5])).toEqual(['1 of 3 workers do not answer', 'a worker talks nonsense'])
})
