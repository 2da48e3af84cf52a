import { createHash, randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type Wire from 'bittorrent-protocol'
import { expect, test, vi } from 'vitest'
import type { Contents } from './contents.ts'
import { Rates } from '../rates/index.ts'
import { Frames, blockBytes, runBytes } from './frames.ts'
import { Outgoing } from './outgoing.ts'
import { Proofs } from './proofs.ts'
import { ReadAhead } from './read-ahead.ts'
import { Run } from './run.ts'
import { SpareFrames } from './spare-frames.ts'
import { Turnstile } from './turnstile.ts'
import { Uploads } from './uploads.ts'

/** A torrent of like pieces, of which no proof holds: its files changed a moment ago. */
function torrentOf(count: number, size: number) {
  const bytes = randomBytes(size)
  const hash = createHash('sha1').update(bytes).digest('hex')
  const reading = { bytes: 0, now: 0, most: 0 }
  const contents: Contents = {
    infoHash: 'a'.repeat(40),
    proofs: new Proofs(count, () => 1_000_000_000),
    source: {
      moment: 1,
      readInto: async (offset, targets) => {
        reading.most = Math.max(reading.most, ++reading.now)
        await new Promise((resolve) => setImmediate(resolve))
        let from = offset % size
        for (const target of targets) {
          target.set(bytes.subarray(from, from + target.length))
          from += target.length
          reading.bytes += target.length
        }
        reading.now--
        return Infinity
      },
    },
    piece: (index) => ({ index, offset: index * size, size, hash }),
    bad: () => {},
    failed: () => {},
    isHere: () => Promise.resolve(true),
  }
  return { contents, reading }
}

const rates = new Rates(
  () => 0,
  () => ({}),
)

/** A connection that takes whatever it is sent. @returns how it asks for a block */
function peerOf(readAhead: ReadAhead, contents: Contents, size: number) {
  const sent: Uint8Array[] = []
  const wire = Object.assign(new EventEmitter(), {
    peerRequests: [],
    _readableState: { buffered: 0 },
    uploaded: 0,
    uploadSpeed: () => 0,
    destroyed: false,
    amChoking: false,
    _push: (messages: Uint8Array) => void sent.push(messages),
  }) as unknown as Wire
  const source = {
    has: () => true,
    pieceBytes: () => size,
    hold: (index: number, offset: number) => readAhead.hold(contents, index, offset),
    release: (run: Run) => readAhead.release(run),
    read: (index: number, offset: number, length: number) => readAhead.read(contents, index, offset, length),
  }
  const uploads = new Uploads(wire, source, (go) => rates.upload.turn(contents.infoHash, go))
  expect(uploads).toBeDefined()
  return { sent, ask: (piece: number, offset: number) => wire._onRequest(piece, offset, blockBytes) }
}

test.each([1, 2])('more peers than there is room for have every piece read once: %i runs each', async (runs) => {
  const [count, size] = [24, runs * runBytes]
  const { contents, reading } = torrentOf(count, size)
  const readAhead = new ReadAhead(4 * runBytes)
  const peers = Array.from({ length: count }, () => peerOf(readAhead, contents, size))
  for (const [piece, { ask }] of peers.entries()) ask(piece, 0)
  await vi.waitFor(() => expect(peers.map(({ sent }) => sent.length)).toEqual(peers.map(() => 1)))
  expect(reading.bytes).toBe(count * size)
})

test('32 MiB are read at a time', async () => {
  const { contents, reading } = torrentOf(40, runBytes)
  const readAhead = new ReadAhead()
  await Promise.all(Array.from({ length: 40 }, (_, piece) => readAhead.read(contents, piece, 0, 10)))
  expect(reading.most).toBe(32)
})

test('work waits in order until there is room for its weight, and may be heavier than all room', async () => {
  const turnstile = new Turnstile(10)
  const began: string[] = []
  const ends: (() => void)[] = []
  const work = (name: string) => () => {
    began.push(name)
    return new Promise<void>((resolve) => ends.push(resolve))
  }
  const done = [
    turnstile.pass(6, work('six')),
    turnstile.pass(20, work('heavy')),
    turnstile.pass(4, work('four')),
    turnstile.pass(5, work('five')),
  ]
  const steps = [['six'], ['six', 'heavy'], ['six', 'heavy', 'four', 'five']]
  for (const step of steps) {
    await vi.waitFor(() => expect(began).toEqual(step))
    for (const end of ends.splice(0)) end()
  }
  await Promise.all(done)
})

const readyRuns = (): Run[] =>
  Array.from({ length: 6 }, (_, index) => {
    const run = new Run({ index, offset: 0, size: runBytes, hash: '' }, 0)
    run.begin(new Frames(runBytes))
    run.state = 'ready'
    return run
  })

test('a peer that reads nothing keeps 4 MiB of runs, and gets copies of others', () => {
  const outgoing = new Outgoing((run) => run.users--)
  const runs = readyRuns()
  const send = (run: Run): Uint8Array => outgoing.of(run, run.messages(0, blockBytes))
  const sent = runs.slice(0, 5).map(send)
  expect(runs.map(({ users }) => users)).toEqual([1, 1, 1, 1, 0, 0])
  expect(Buffer.from(sent[4] ?? [])).toEqual(runs[4]?.messages(0, blockBytes))
  for (const bytes of sent) outgoing.sent(bytes)
  expect(runs.map(({ users }) => users)).toEqual([0, 0, 0, 0, 0, 0])
  for (const run of runs.slice(5)) send(run)
  expect(runs[5]?.users).toBe(1)
})

test('what is most of a run is never copied: that would take as much memory', () => {
  const outgoing = new Outgoing((run) => run.users--)
  const runs = readyRuns()
  for (const run of runs) outgoing.of(run, run.messages(0, runBytes))
  expect(runs.map(({ users }) => users)).toEqual([1, 1, 1, 1, 1, 1])
})

test('memory that waits is that of the sizes asked for last', () => {
  const spare = new SpareFrames(2 * runBytes)
  const large = [new Frames(runBytes), new Frames(runBytes)]
  for (const frames of large) spare.give(frames)
  const small = new Frames(1)
  spare.give(small)
  expect(spare.take({ length: 10, room: blockBytes })).toBe(small)
  expect(spare.take({ length: runBytes, room: runBytes })).toBe(large[0])
  expect(large).not.toContain(spare.take({ length: runBytes, room: runBytes }))
})
