import { createHash } from 'node:crypto'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createHashing, type Hashing } from '../ingest/index.ts'
import { openLibrary, type Item, type Library } from '../library/index.ts'
import { createUpkeep, type Upkeep } from './index.ts'

const hour = 3_600_000

let folder: string
let hashing: Hashing
let library: Library
let upkeep: Upkeep
let checked: string[]

async function hold(name: string): Promise<Item> {
  const bytes = Buffer.from(name)
  const staging = await library.stage()
  await writeFile(staging.filePath(0), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const infoHash = createHash('sha1').update(bytes).digest('hex')
  const file = { path: name, size: bytes.length, sha256, type: 'text/plain' }
  const item: Item = {
    infoHash,
    name,
    size: bytes.length,
    pieceLength: 16_384,
    files: [file],
    sha256,
    publisher: 'p',
    replicas: { min: 1, target: 3 },
    createdAt: 1,
    state: 'live',
  }
  return (await library.commit(staging, item, Buffer.from('de'))).item
}

const purged = (count: number) => vi.waitUntil(() => upkeep.stats().purged === count, { timeout: 15_000 })

const create = () =>
  createUpkeep({
    library,
    now: () => Date.now(),
    log: pino({ level: 'silent' }),
    checked: (infoHash, held) => checked.push(`${infoHash} ${held}`),
  })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-upkeep-'))
  hashing = createHashing()
  library = await openLibrary({ folder, digest: hashing.digest })
  checked = []
  upkeep = create()
})

afterEach(async () => {
  vi.useRealTimers()
  await upkeep.close()
  library.close()
  await hashing.close()
  await rm(folder, { recursive: true })
})

test('retracted items go when they are due, not before, and live ones stay', async () => {
  const [soon, later, live] = [await hold('soon'), await hold('later'), await hold('live')]
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  upkeep.start()
  library.retract(soon.infoHash, Date.now() + hour)
  library.retract(later.infoHash, Date.now() + 60 * 24 * hour)
  upkeep.nudge()
  await vi.advanceTimersByTimeAsync(hour - 1)
  expect(library.get(soon.infoHash)).toBeDefined()
  await vi.advanceTimersByTimeAsync(1)
  await purged(1)
  expect(library.get(soon.infoHash)).toBeUndefined()
  // Longer than one timer can wait.
  await vi.advanceTimersByTimeAsync(59 * 24 * hour)
  expect(library.get(later.infoHash)).toBeDefined()
  await vi.advanceTimersByTimeAsync(24 * hour)
  await purged(2)
  expect([...library.all()].map(({ infoHash }) => infoHash)).toEqual([live.infoHash])
})

test('a retraction that was undone in time purges nothing', async () => {
  const item = await hold('undone')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  upkeep.start()
  library.retract(item.infoHash, Date.now() + hour)
  upkeep.nudge()
  library.restore(item.infoHash)
  await vi.advanceTimersByTimeAsync(2 * hour)
  expect(library.get(item.infoHash)?.state).toBe('live')
  expect(upkeep.stats().purged).toBe(0)
})

test('what was due while the node was down goes at its start', async () => {
  const item = await hold('overdue')
  library.retract(item.infoHash, Date.now() - 1)
  upkeep.start()
  await purged(1)
  expect(library.get(item.infoHash)).toBeUndefined()
})

test('a retracted item whose bytes are damaged goes too, and is looked for once', async () => {
  const item = await hold('damaged')
  await rm(library.blobPath(item.sha256))
  expect(await library.check(item.infoHash)).toBe(false)
  library.retract(item.infoHash, Date.now() - 1)
  const looked = vi.spyOn(library, 'purgeable')
  upkeep.start()
  await purged(1)
  expect(library.damaged()).toEqual([])
  await vi.waitUntil(() => library.nextPurge() === undefined)
  expect(looked).toHaveBeenCalledTimes(1)
})

test('a catalog that cannot be read is asked again, and the process goes on', async () => {
  const item = await hold('unread')
  await utimes(library.blobPath(item.sha256), 1, 1)
  expect(await library.check(item.infoHash)).toBe(false)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  vi.spyOn(library, 'suspects').mockImplementationOnce(() => {
    throw new Error('disk I/O error')
  })
  upkeep.start()
  await vi.advanceTimersByTimeAsync(29_000)
  expect(checked).toEqual([])
  await vi.advanceTimersByTimeAsync(1_000)
  await vi.waitUntil(() => checked.length === 1, { timeout: 10_000 })
  expect(checked).toEqual([`${item.infoHash} true`])
})

test('changed blobs are hashed again: the good one counts again, the wrong one is reported', async () => {
  const [good, wrong] = [await hold('good'), await hold('wrong')]
  await utimes(library.blobPath(good.sha256), 1, 1)
  await writeFile(library.blobPath(wrong.sha256), 'WRONG')
  for (const { infoHash } of [good, wrong]) expect(await library.check(infoHash)).toBe(false)
  upkeep.start()
  await vi.waitUntil(() => checked.length === 2, { timeout: 10_000 })
  expect(checked.toSorted()).toEqual([`${good.infoHash} true`, `${wrong.infoHash} false`].toSorted())
  expect(library.damaged()).toEqual([wrong.infoHash])
})

test('after close nothing is due any more', async () => {
  const item = await hold('closed')
  library.retract(item.infoHash, Date.now() + 60_000)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  upkeep.start()
  await upkeep.close()
  await vi.advanceTimersByTimeAsync(hour)
  expect(library.get(item.infoHash)).toBeDefined()
  expect(vi.getTimerCount()).toBe(0)
})
