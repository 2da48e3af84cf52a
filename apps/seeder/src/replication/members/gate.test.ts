import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Gate } from './gate.ts'

const link = (inSync: boolean) => ({ inSync })

let links: { inSync: boolean }[]
let moves: number

const open = (dials: boolean): Gate => {
  const gate = new Gate({ links: () => links, dials, moved: () => moves++ })
  gate.start()
  return gate
}

beforeEach(() => {
  vi.useFakeTimers()
  links = []
  moves = 0
})

afterEach(() => {
  vi.useRealTimers()
})

test('opens a moment after a link is in step, and settles after a minute', () => {
  const gate = open(true)
  links = [link(false)]
  vi.advanceTimersByTime(5_000)
  expect(gate.inStep).toBe(false)
  links = [link(false), link(true)]
  vi.advanceTimersByTime(1_250)
  expect([gate.inStep, gate.settled, moves]).toEqual([true, false, 1])
  vi.advanceTimersByTime(53_749)
  expect(gate.settled).toBe(false)
  vi.advanceTimersByTime(1)
  expect([gate.settled, moves]).toEqual([true, 2])
  expect(vi.getTimerCount()).toBe(0)
})

test('a node that dials nobody waits for nobody', () => {
  const gate = open(false)
  vi.advanceTimersByTime(1_000)
  expect(gate.inStep).toBe(true)
  gate.close()
})

test('a node whose peers are all gone acts on its own after a minute', () => {
  const gate = open(true)
  vi.advanceTimersByTime(59_999)
  expect([gate.inStep, moves]).toEqual([false, 0])
  vi.advanceTimersByTime(1)
  expect([gate.inStep, gate.settled, moves]).toEqual([true, true, 1])
  expect(vi.getTimerCount()).toBe(0)
})

test('once closed it never opens', () => {
  const gate = open(true)
  gate.close()
  links = [link(true)]
  vi.advanceTimersByTime(120_000)
  expect([gate.inStep, moves]).toEqual([false, 0])
})
