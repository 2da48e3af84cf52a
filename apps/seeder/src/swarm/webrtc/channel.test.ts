import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Channel, stallAfter } from './channel.ts'
import type { ChannelPort, ConnectionPort } from './channel.ts'

/** libdatachannel as it behaves once usrsctp has lost its timer: it takes messages and sends nothing. */
class Stuck implements ChannelPort, ConnectionPort {
  buffered = 0
  sent = 0
  closed = 0
  messages: number[] = []
  accepts = 262_144
  low = (): void => {}
  message: (message: string | Buffer | ArrayBuffer) => void = () => {}
  sendMessageBinary(bytes: Uint8Array): boolean {
    this.messages.push(bytes.length)
    this.buffered += bytes.length
    return false
  }
  maxMessageSize(): number {
    return this.accepts
  }
  bufferedAmount(): number {
    return this.buffered
  }
  bytesSent(): number {
    return this.sent
  }
  close(): void {
    this.closed++
  }
  onBufferedAmountLow(listener: () => void): void {
    this.low = listener
  }
  onMessage(listener: (message: string | Buffer | ArrayBuffer) => void): void {
    this.message = listener
  }
  onClosed(): void {}
  onError(): void {}
  setBufferedAmountLowThreshold(): void {}
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})

afterEach(() => {
  vi.useRealTimers()
})

test.each([2 * 1024 * 1024, 20_000])(
  'a channel that sends nothing any more ends, and says that it stalled: %d bytes',
  (size) => {
    const stuck = new Stuck()
    const channel = new Channel('aa', stuck, stuck)
    channel.write(Buffer.alloc(size))
    vi.advanceTimersByTime(stallAfter - 1)
    expect(channel.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(channel).toMatchObject({ destroyed: true, stalled: true })
    expect(stuck.closed).toBe(2)
  },
)

test('a slow peer is no stalled one', () => {
  const stuck = new Stuck()
  const channel = new Channel('aa', stuck, stuck)
  channel.write(Buffer.alloc(2 * 1024 * 1024))
  for (let second = 0; second < 30; second++) {
    vi.advanceTimersByTime(stallAfter - 1_000)
    stuck.sent += 1
  }
  expect(channel.destroyed).toBe(false)
  stuck.buffered = 0
  stuck.low()
  vi.advanceTimersByTime(stallAfter * 3)
  expect(channel.destroyed).toBe(false)
  channel.destroy()
  expect(channel.stalled).toBe(false)
})

test('writing waits while the channel is full, and small writes leave as one', async () => {
  const stuck = new Stuck()
  const channel = new Channel('aa', stuck, stuck)
  const written: string[] = []
  channel.write(Buffer.alloc(1024 * 1024 + 1), () => written.push('large'))
  for (let index = 0; index < 10; index++) channel.write(Buffer.alloc(100), () => written.push('small'))
  expect(stuck.messages).toHaveLength(5)
  stuck.buffered = 0
  stuck.low()
  expect(stuck.messages.at(-1)).toBe(1_000)
  await vi.waitFor(() => expect(written).toHaveLength(11))
  expect(written).toEqual(['large', ...Array.from({ length: 10 }, () => 'small')])
  channel.destroy()
})

/** A block of 16 KiB and its head. */
const block = 13 + 16 * 1024

test.each([
  [262_144, [15 * block, 15 * block, 2 * block]],
  [65_536, [...Array.from({ length: 10 }, () => 3 * block), 2 * block]],
  [16_384, [...Array.from({ length: 32 }, () => 16_384), 32 * 13]],
  [0, [...Array.from({ length: 8 }, () => 65_536), 32 * 13]],
])('blocks leave whole, as many in a message as the peer takes: %d bytes', (accepts, messages) => {
  const stuck = Object.assign(new Stuck(), { accepts })
  const channel = new Channel('aa', stuck, stuck)
  channel.write(Buffer.alloc(32 * block))
  expect(stuck.messages).toEqual(messages)
  channel.destroy()
})

test('blocks that waited with small messages are not cut by them', () => {
  const stuck = new Stuck()
  const channel = new Channel('aa', stuck, stuck)
  channel.write(Buffer.alloc(1024 * 1024 + 1))
  stuck.messages.length = 0
  for (const size of [9, 17, 16 * block, 5, 5, block]) channel.write(Buffer.alloc(size))
  stuck.low()
  expect(stuck.messages).toEqual([26, 15 * block, block, 10, block])
  channel.destroy()
})

test('text where bytes belong ends the channel', () => {
  const stuck = new Stuck()
  const channel = new Channel('aa', stuck, stuck)
  stuck.message('hello')
  expect(channel.destroyed).toBe(true)
})
