import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Channel, stallAfter } from './channel.ts'
import type { ChannelPort, ConnectionPort } from './channel.ts'

/** libdatachannel as it behaves once usrsctp has lost its timer: it takes messages and sends nothing. */
class Stuck implements ChannelPort, ConnectionPort {
  buffered = 0
  sent = 0
  closed = 0
  messages: number[] = []
  low = (): void => {}
  message: (message: string | Buffer | ArrayBuffer) => void = () => {}
  sendMessageBinary(bytes: Uint8Array): boolean {
    this.messages.push(bytes.length)
    this.buffered += bytes.length
    return false
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
  expect(stuck.messages).toHaveLength(17)
  stuck.buffered = 0
  stuck.low()
  expect(stuck.messages.at(-1)).toBe(1_000)
  expect(Math.max(...stuck.messages)).toBe(64 * 1024)
  await vi.waitFor(() => expect(written).toHaveLength(11))
  expect(written).toEqual(['large', ...Array.from({ length: 10 }, () => 'small')])
  channel.destroy()
})

test('text where bytes belong ends the channel', () => {
  const stuck = new Stuck()
  const channel = new Channel('aa', stuck, stuck)
  stuck.message('hello')
  expect(channel.destroyed).toBe(true)
})
