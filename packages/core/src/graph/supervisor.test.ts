import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EldernodeError } from '../errors.ts'
import { socketPair } from '../testing/socket-pair.ts'
import type { DialOptions, Socket } from './port.ts'
import { Supervisor } from './supervisor.ts'
import type { Target } from './supervisor.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

function start(targets: Target[], dial: (url: string, options: DialOptions) => Promise<Socket>) {
  const linked = new Set<string>()
  const refused: string[] = []
  const faults: unknown[] = []
  const dialled: string[] = []
  const supervisor = new Supervisor({
    dial: (url, options) => {
      dialled.push(url)
      return dial(url, options)
    },
    targets: () => targets,
    isLinked: ({ url, node }) => linked.has(url) || (node !== undefined && linked.has(node)),
    onSocket: (_socket, { url }) => {
      if (url.includes('broken')) throw new Error('no link')
      linked.add(url)
    },
    onFault: (error) => faults.push(error),
    onRefused: (reason) => refused.push(reason),
    now: () => Date.now(),
    random: () => 0.5,
  })
  supervisor.start()
  return { supervisor, linked, refused, faults, dialled }
}

const down = (): Promise<Socket> => Promise.reject(new Error('down'))

test('dials at once and every 3 s until the link stands, and again when it falls', async () => {
  let up = false
  const { supervisor, linked, dialled } = start([{ url: 'ws://a/gun', foreign: false }], () =>
    up ? Promise.resolve(socketPair()[0]) : down(),
  )
  await vi.advanceTimersByTimeAsync(6500)
  expect(dialled).toHaveLength(3)
  up = true
  await vi.advanceTimersByTimeAsync(3000)
  expect(linked).toContain('ws://a/gun')
  await vi.advanceTimersByTimeAsync(30_000)
  expect(dialled).toHaveLength(4)
  linked.clear()
  await vi.advanceTimersByTimeAsync(3000)
  expect(dialled).toHaveLength(5)
  supervisor.stop()
})

test('a place whose node is linked already is left alone', async () => {
  const { supervisor, linked, dialled } = start([{ url: 'ws://a/gun', foreign: false }], down)
  await vi.advanceTimersByTimeAsync(10)
  supervisor.learn('ws://a/gun', 'node a')
  linked.add('node a')
  await vi.advanceTimersByTimeAsync(20_000)
  expect(dialled).toHaveLength(1)
  supervisor.stop()
})

test('a foreign place that fails is left alone for a minute, and a refused one is counted', async () => {
  const { supervisor, refused, dialled } = start([{ url: 'ws://10.0.0.1/gun', foreign: true }], () =>
    Promise.reject(new EldernodeError('address_refused', 'no')),
  )
  await vi.advanceTimersByTimeAsync(55_000)
  expect([dialled.length, refused]).toEqual([1, ['address_refused']])
  await vi.advanceTimersByTimeAsync(10_000)
  expect(dialled).toHaveLength(2)
  supervisor.stop()
})

test('a dial is given up after 10 s, never doubled, and stop ends everything', async () => {
  const aborted = vi.fn<() => void>()
  const { supervisor, dialled } = start([{ url: 'ws://a/gun', foreign: false }], (_url, { signal }) => {
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted()
        reject(new Error('aborted'))
      })
    })
  })
  await vi.advanceTimersByTimeAsync(9900)
  expect([dialled.length, aborted.mock.calls.length]).toEqual([1, 0])
  await vi.advanceTimersByTimeAsync(3000)
  expect([dialled.length, aborted.mock.calls.length]).toEqual([2, 1])
  supervisor.stop()
  await vi.advanceTimersByTimeAsync(0)
  expect(aborted).toHaveBeenCalledTimes(2)
  expect(vi.getTimerCount()).toBe(0)
})

test('a socket that no link can be made of is ended, and the fault is told', async () => {
  const [near, far] = socketPair()
  const ended = vi.fn<() => void>()
  far.onClose(ended)
  const { supervisor, faults, refused } = start([{ url: 'ws://broken/gun', foreign: false }], () =>
    Promise.resolve(near),
  )
  await vi.advanceTimersByTimeAsync(100)
  expect(faults).toEqual([new Error('no link')])
  expect(refused).toEqual([])
  expect(ended).toHaveBeenCalled()
  supervisor.stop()
})
