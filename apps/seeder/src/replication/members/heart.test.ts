import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ClockError, type Heartbeat } from '@eldernode/core'
import { Heart } from './heart.ts'

const pulse: Heartbeat = {
  endpoints: { http: 'http://127.0.0.1:1' },
  zone: '',
  operator: '',
  state: 'active',
  capacity: { bytes: 1, used: 0, free: 1 },
  load: { up: 0, down: 0, connections: 0 },
  counts: { items: 0, awake: 0, queue: 0 },
  version: '0',
}

let beats: number[]
let heart: Heart
let fail: boolean
let error: Error

beforeEach(() => {
  vi.useFakeTimers()
  beats = []
  fail = false
  error = new Error('the disk is full')
  heart = new Heart({
    graph: {
      publish: (kind, key, body) => {
        if (fail) return Promise.reject(error)
        beats.push(performance.now())
        return Promise.resolve({ kind, key, body, pub: 'me', ts: 0, soul: '', hidden: false })
      },
    },
    pulse: () => Promise.resolve(pulse),
    log: pino({ level: 'silent' }),
  })
})

afterEach(async () => {
  await heart.close()
  vi.useRealTimers()
})

test('beats at once and every 15 s', async () => {
  await heart.start()
  const first = beats[0]!
  await vi.advanceTimersByTimeAsync(45_000)
  expect(beats.map((at) => at - first)).toEqual([0, 15_000, 30_000, 45_000])
})

test('many new members are answered once, 2 s after the last beat', async () => {
  await heart.start()
  const first = beats[0]!
  for (let i = 0; i < 100; i++) heart.answer()
  await vi.advanceTimersByTimeAsync(17_000)
  expect(beats.map((at) => at - first)).toEqual([0, 2_000, 17_000])
})

test('a beat that fails does not end the heart', async () => {
  fail = true
  await heart.start()
  await vi.advanceTimersByTimeAsync(15_000)
  fail = false
  await vi.advanceTimersByTimeAsync(15_000)
  expect(beats.length).toBe(1)
})

test('a clock that lies behind is told until a beat succeeds', async () => {
  fail = true
  await heart.start()
  expect(heart.clockBehind).toBe(false)
  error = new ClockError(Date.now() + 600_000, Date.now())
  await vi.advanceTimersByTimeAsync(15_000)
  expect(heart.clockBehind).toBe(true)
  fail = false
  await vi.advanceTimersByTimeAsync(15_000)
  expect(heart.clockBehind).toBe(false)
})

test('after close nothing beats', async () => {
  await heart.start()
  await heart.close()
  heart.answer()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(beats.length).toBe(1)
  expect(vi.getTimerCount()).toBe(0)
})
