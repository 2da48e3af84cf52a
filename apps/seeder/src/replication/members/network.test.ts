import type { Heartbeat } from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Network, type NetworkOptions } from './network.ts'

const heartbeat = { capacity: { bytes: 1, used: 0, free: 1 }, zone: '', operator: '', state: 'active' } as Heartbeat
const [self, other] = ['A', 'B'].map((letter) => `${letter.repeat(42)}A`) as [string, string]
let members: string[]
let see: (ts: number) => void
let refuse: (id: string, ts: number) => void
let network: Network

beforeEach(() => {
  vi.useFakeTimers()
  members = [self]
  const graph: Partial<NetworkOptions['graph']> = {
    members: () => members,
    operatorOf: () => undefined,
    entries: () => [],
    watch: (kind, listener) => {
      if (kind === 'hb') see = (ts) => listener({ pub: other, ts, body: heartbeat } as never)
      return () => {}
    },
    watchOutOfTime: (listener) => {
      refuse = listener
      return () => {}
    },
  }
  network = new Network({
    self,
    graph: graph as NetworkOptions['graph'],
    graceMs: 600_000,
    now: () => Date.now(),
    clock: () => performance.now(),
    own: () => undefined,
    isPinned: () => false,
    moved: () => {},
    appeared: () => {},
    returned: () => {},
    claimed: () => {},
    proved: () => {},
    log: pino({ level: 'silent' }),
  })
  network.open()
})
afterEach(() => {
  network.close()
  vi.useRealTimers()
})

test('a member without others goes by its own clock; with others it waits until they agree, or a minute', () => {
  expect(network.knowsTime()).toBe(true)
  members.push(other)
  expect(network.knowsTime()).toBe(false)
  see(Date.now())
  expect(network.knowsTime()).toBe(true)
})

test("refused heartbeats of others say that this node's clock is wrong, until one agrees", () => {
  members.push(other)
  for (let beat = 0; beat < 5; beat++) {
    vi.advanceTimersByTime(15_000)
    refuse(other, Date.now() - 3_600_000)
  }
  expect([network.roster.presence.isClockOff(), network.knowsTime()]).toEqual([true, false])
  vi.advanceTimersByTime(15_000)
  see(Date.now())
  expect([network.roster.presence.isClockOff(), network.knowsTime()]).toEqual([false, true])
})
