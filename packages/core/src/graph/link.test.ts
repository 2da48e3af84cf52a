import { expect, test, vi } from 'vitest'
import { limits } from './limits.ts'
import { Link } from './link.ts'
import type { Socket } from './port.ts'
import { Turn } from './turn.ts'

class FakeSocket implements Socket {
  bufferedAmount = 0
  sent: string[] = []
  closed: number[] = []
  paused = 0
  resumed = 0
  receive: (text: string) => void = () => undefined
  #end: (code: number) => void = () => undefined

  send(text: string): void {
    this.sent.push(text)
  }
  close(code = 1005): void {
    this.closed.push(code)
    this.#end(code)
  }
  terminate(): void {
    this.close(1006)
  }
  pause(): void {
    this.paused++
  }
  resume(): void {
    this.resumed++
  }
  onMessage(listener: (text: string) => void): void {
    this.receive = listener
  }
  onClose(listener: (code: number) => void): void {
    this.#end = listener
  }
}

function open(onText: (text: string) => void | Promise<void> = () => undefined) {
  const socket = new FakeSocket()
  const refused: string[] = []
  const faults: unknown[] = []
  const ended: number[] = []
  const clock = { now: 1_000_000 }
  const link = new Link({
    id: 'link1',
    socket,
    address: undefined,
    now: () => clock.now,
    turn: new Turn(),
    hiddenPrefix: 'en1/net/x/',
    isMember: (node) => node === 'member',
    onText,
    onEnd: (_link, code) => ended.push(code),
    onRefused: (reason) => refused.push(reason),
    onFault: (error) => faults.push(error),
  })
  return { link, socket, refused, faults, ended, clock }
}

test('order is kept when messages are handled later, and reading pauses while too much waits', async () => {
  const handled: string[] = []
  const gates: (() => void)[] = []
  const { link, socket } = open((text) => {
    handled.push(text.slice(0, 1))
    return new Promise((resolve) => gates.push(resolve))
  })
  link.member = true
  const size = 1 << 19
  for (let n = 0; n < 10; n++) socket.receive(`${n}${'x'.repeat(size)}`)
  expect(handled).toEqual(['0'])
  expect([socket.paused, socket.resumed]).toEqual([1, 0])
  for (let n = 0; n < 10; n++) {
    await vi.waitFor(() => expect(gates.length).toBeGreaterThan(n))
    gates[n]?.()
  }
  await vi.waitFor(() => expect(handled.join('')).toBe('0123456789'))
  expect(socket.resumed).toBe(1)
})

test('a flood on a socket that cannot pause ends the link', () => {
  const { link, socket, refused, ended } = open(() => new Promise(() => undefined))
  link.member = true
  Object.assign(socket, { pause: undefined })
  for (let n = 0; n < 12; n++) socket.receive('x'.repeat(limits.text))
  expect([refused, ended]).toEqual([['inbox'], [1006]])
})

test('a stranger has fewer messages and bytes than a member', () => {
  const handled = vi.fn<(text: string) => void>()
  const { socket, refused } = open(handled)
  for (let n = 0; n < limits.messageBurst + 10; n++) socket.receive('{}')
  expect(refused).toHaveLength(10)
  expect(new Set(refused)).toEqual(new Set(['rate']))
  const other = open()
  for (let n = 0; n < 20; n++) other.socket.receive('x'.repeat(limits.text))
  expect(other.refused.length).toBeGreaterThan(5)
})

test('rules broken again and again end the link; what honest nodes do does not', () => {
  const { link, ended } = open()
  for (let n = 0; n < 1000; n++) link.refuse('stale')
  expect(ended).toEqual([])
  for (let n = 0; n < limits.strikes; n++) link.refuse('bad_signature')
  expect(ended).toEqual([])
  link.refuse('bad_signature')
  expect(ended).toEqual([1008])
})

test('a reader that does not read is cut; a member gets sums instead of gossip first', () => {
  const { link, socket, refused, ended } = open()
  socket.bufferedAmount = limits.strangerQueued + 1
  link.member = true
  link.say('gossip')
  expect([link.behind, socket.sent]).toEqual([true, []])
  link.send('frame')
  expect(socket.sent).toEqual(['frame'])
  link.member = false
  link.say('reply')
  expect([refused, ended]).toEqual([['backpressure'], [1006]])
})

test('a fault in handling a message is told and goes no further', async () => {
  const failing = [
    () => {
      throw new Error('now')
    },
    () => Promise.reject(new Error('later')),
  ]
  const { link, socket, faults } = open(() => failing.shift()?.())
  socket.receive('1')
  socket.receive('2')
  await vi.waitFor(() => expect(faults).toHaveLength(2))
  expect(link.closed).toBe(false)
})

test('a message that is too large ends the link', () => {
  const { socket, refused, ended } = open()
  socket.receive('x'.repeat(limits.text + 1))
  expect([refused, ended]).toEqual([['text'], [1009]])
})
