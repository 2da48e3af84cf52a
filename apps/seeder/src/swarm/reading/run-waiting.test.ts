import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Contents } from './contents.ts'
import { runBytes } from './frames.ts'
import { Proofs } from './proofs.ts'
import { ReadAhead } from './read-ahead.ts'

/** A torrent of one piece of two runs; its bytes are read when the test says so. */
function contentsOf(bytes: Buffer): { contents: Contents; read: () => void } {
  const waiting: (() => void)[] = []
  const hash = createHash('sha1').update(bytes).digest('hex')
  const contents: Contents = {
    infoHash: 'a'.repeat(40),
    proofs: new Proofs(1, () => 1_000_000_000),
    source: {
      moment: 1,
      readInto: async (offset, targets) => {
        await new Promise<void>((resolve) => waiting.push(resolve))
        let from = offset
        for (const target of targets) {
          target.set(bytes.subarray(from, from + target.length))
          from += target.length
        }
        return 1
      },
    },
    piece: (index) => ({ index, offset: 0, size: bytes.length, hash }),
    bad: () => {},
    failed: () => {},
    isHere: () => Promise.resolve(true),
  }
  return { contents, read: () => waiting.shift()?.() }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('who asks for a part of a piece that is being read for another part waits until it is checked', async () => {
  const bytes = randomBytes(2 * runBytes)
  const { contents, read } = contentsOf(bytes)
  const readAhead = new ReadAhead()
  const first = readAhead.hold(contents, 0, 0)
  await turn()
  read()
  await turn()
  // The check of the piece has come to its second part now.
  const second = readAhead.hold(contents, 0, runBytes)
  let settled = false
  const waited = second.reading.finally(() => (settled = true))
  await turn()
  expect([second.ready, settled]).toEqual([false, false])
  read()
  await Promise.all([first.reading, waited])
  expect([first.ready, second.ready]).toEqual([true, true])
  expect(await readAhead.read(contents, 0, 0, bytes.length)).toEqual(bytes)
})

test('who waits for a run without holding it does not wait for ever when others need its room', async () => {
  const readAhead = new ReadAhead(runBytes)
  const torrents = ['b', 'c', 'd'].map((name) => {
    const { contents, read } = contentsOf(randomBytes(1000))
    return { read, contents: { ...contents, infoHash: name.repeat(40) } }
  })
  const waits = torrents.map(async ({ contents }) => {
    for (;;) {
      const run = readAhead.hold(contents, 0, 0)
      readAhead.release(run)
      if (run.ready) return
      await run.reading
    }
  })
  let served = 0
  for (const wait of waits) void wait.then(() => served++)
  for (let turns = 0; turns < 100; turns++) {
    for (const { read } of torrents) read()
    await turn()
  }
  expect(served).toBe(3)
})
