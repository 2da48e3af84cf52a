import { expect, test } from 'vitest'
import { ImportChangedError, ImportFailedError, ImportRefusedError } from './errors.ts'
import { resuming } from './resuming.ts'

const broken = new ImportFailedError('it broke off', { passes: true })
const signal = new AbortController().signal

async function* sending(bytes: Uint8Array, error?: Error): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
  if (error !== undefined) throw error
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const whole = Buffer.from(Array.from({ length: 11_000_000 }, (_, n) => n % 251))

test('what breaks off goes on where it was, however often it gets on', async () => {
  const asked: number[] = []
  const rest = async (from: number) => {
    asked.push(from)
    const end = Math.min(whole.length, from + 1_100_000)
    return sending(whole.subarray(from, end), end < whole.length ? broken : undefined)
  }
  const found = await all(resuming(sending(whole.subarray(0, 1_100_000), broken), { rest, firstMs: 0, signal }))
  expect(found.equals(whole)).toBe(true)
  expect(asked).toEqual(Array.from({ length: 9 }, (_, n) => (n + 1) * 1_100_000))
})

test('one that breaks off after each few bytes is given up', async () => {
  let asked = 0
  const rest = async (from: number) => {
    asked++
    return sending(whole.subarray(from, from + 10), broken)
  }
  await expect(all(resuming(sending(whole.subarray(0, 10), broken), { rest, firstMs: 0, signal }))).rejects.toBe(broken)
  expect(asked).toBe(6)
})

test.each([new ImportRefusedError('no'), new ImportFailedError('the status 404'), new Error('a bug')])(
  'what does not pass ends it at once: %s',
  async (error) => {
    let asked = 0
    const rest = async () => sending(whole.subarray(0, asked++))
    await expect(all(resuming(sending(whole, error), { rest, firstMs: 0, signal }))).rejects.toBe(error)
    expect(asked).toBe(0)
  },
)

test('one that is another by now is not put together with what came before', async () => {
  const changed = new ImportChangedError()
  const rest = () => Promise.reject(changed)
  await expect(all(resuming(sending(whole, broken), { rest, firstMs: 0, signal }))).rejects.toBe(changed)
})

test('calling it off ends the wait', async () => {
  const abort = new AbortController()
  const reason = new Error('called off')
  setTimeout(() => abort.abort(reason), 10)
  const source = resuming(sending(whole.subarray(0, 10), broken), {
    rest: async () => sending(whole),
    firstMs: 1_000_000,
    signal: abort.signal,
  })
  await expect(all(source)).rejects.toBe(reason)
})
