import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { UploadTooSlowError } from '../errors.ts'
import { Intake } from './incoming.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const limits = { maxUploadBytes: 1e9, stallMs: 30_000 }

/** So many bytes at a time, with pauses of so many milliseconds. */
async function* dripping(bytes: number, ms: number, times: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < times; n++) {
    await new Promise((resolve) => setTimeout(resolve, ms))
    yield new Uint8Array(bytes)
  }
}

/** @returns the bytes that were read, and how it ended */
async function read(source: AsyncIterable<Uint8Array>, during: number, pause = 0) {
  let bytes = 0
  const reading = (async () => {
    for await (const chunk of new Intake(limits).read(source)) {
      bytes += chunk.length
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
    }
    return 'whole'
  })().catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(during)
  return { bytes, end: await Promise.race([reading, Promise.resolve('under way')]) }
}

test('a client that sends a byte now and then is cut off, whenever it begins to', async () => {
  const { bytes, end } = await read(dripping(1, 20_000, 100), 61_000)
  expect(end).toBeInstanceOf(UploadTooSlowError)
  expect(bytes).toBeLessThan(3)
  async function* fading(): AsyncGenerator<Uint8Array> {
    yield* dripping(100_000, 1000, 50)
    yield* dripping(1, 1000, 1000)
  }
  expect((await read(fading(), 130_000)).end).toBeInstanceOf(UploadTooSlowError)
})

test('a slow line is no drip', async () => {
  expect(await read(dripping(1100, 1000, 200), 201_000)).toEqual({ bytes: 220_000, end: 'whole' })
  expect(await read(dripping(50_000, 29_000, 5), 150_000)).toEqual({ bytes: 250_000, end: 'whole' })
})

test('the time that this node takes does not count', async () => {
  expect(await read(dripping(100, 10, 100), 200_000, 1000)).toEqual({ bytes: 10_000, end: 'whole' })
})
