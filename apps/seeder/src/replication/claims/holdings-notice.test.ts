import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGraph, MemoryGraphStore, type Graph } from '@eldernode/core/graph'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createVerifier, openIdentity, type NodeIdentity } from '@eldernode/member/keys'
import { HoldingsNotice } from './holdings-notice.ts'

let folder: string
let self: NodeIdentity
let store: MemoryGraphStore
let graph: Graph
let notice: HoldingsNotice
let secrets: Set<string>
let published: { bucket: string; at: number }[]

const hash = (n: number): string => createHash('sha1').update(String(n)).digest('hex')
const inBucket = (bucket: string, n: number): string => bucket + hash(n).slice(2)
const said = (bucket: string) => graph.get('h', self.id, bucket)?.body
const create = () =>
  new HoldingsNotice({
    self: self.id,
    graph,
    isHidden: (infoHash) => secrets.has(infoHash),
    log: pino({ level: 'silent' }),
  })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-notice-'))
  self = openIdentity(join(folder, 'node.key'))
  store = new MemoryGraphStore()
  graph = createGraph({
    network: { owner: self.id, open: true },
    identity: self,
    verifier: createVerifier(),
    store,
    dial: () => Promise.reject(new Error('nobody to dial')),
    peers: [],
    onFault: (error) => {
      throw error
    },
  })
  await graph.start()
  // GUN keeps functions of its own on setTimeout.
  const ofGun = { ...setTimeout }
  vi.useFakeTimers()
  Object.assign(setTimeout, ofGun)
  published = []
  secrets = new Set()
  graph.watch('h', ({ soul }) => published.push({ bucket: soul.slice(-2), at: performance.now() }))
  notice = create()
})

afterEach(async () => {
  vi.useRealTimers()
  await notice.close()
  await graph.close()
  await rm(folder, { recursive: true })
})

test('a burst of changes is told once, 200 ms after the first, and later ones after 10 s', async () => {
  await notice.open()
  const start = performance.now()
  for (let n = 0; n < 20; n++) notice.hold(inBucket('00', n))
  await vi.advanceTimersByTimeAsync(1_000)
  notice.drop(inBucket('00', 0))
  notice.refuse(inBucket('00', 99))
  await vi.advanceTimersByTimeAsync(20_000)
  expect(published.map(({ bucket, at }) => [bucket, Math.round((at - start) / 100) / 10])).toEqual([
    ['00', 0.2],
    ['00', 10.2],
  ])
  expect(said('00')).toEqual({
    held: Array.from({ length: 19 }, (_, n) => inBucket('00', n + 1)).toSorted(),
    releasing: [],
    refused: [inBucket('00', 99)],
  })
})

test('nothing is told before it is opened', async () => {
  notice.hold(hash(1))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(published).toEqual([])
  await notice.open()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(published.length).toBe(1)
})

test('after a restart only what differs is told again, and what is no longer held is taken back', async () => {
  await notice.open()
  for (const bucket of ['01', '02', '03']) notice.hold(inBucket(bucket, 1))
  await vi.advanceTimersByTimeAsync(5_000)
  await notice.close()
  published.length = 0
  notice = create()
  notice.hold(inBucket('01', 1))
  notice.hold(inBucket('03', 2))
  await notice.open()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(published.map(({ bucket }) => bucket).toSorted()).toEqual(['02', '03'])
  expect(said('02')?.held).toEqual([])
  expect(said('03')?.held).toEqual([inBucket('03', 2)])
})

test('what could not be published is tried again', async () => {
  const failing = vi.spyOn(graph, 'publish').mockRejectedValueOnce(new Error('not a member yet'))
  await notice.open()
  notice.hold(hash(1))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(failing).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(said(hash(1).slice(0, 2))?.held).toEqual([hash(1)])
})

test('what is not public is told where members alone see it, and moves when it becomes public', async () => {
  await notice.open()
  const [open, secret] = [inBucket('07', 1), inBucket('07', 2)]
  secrets.add(secret)
  notice.hold(open)
  notice.hold(secret)
  await vi.advanceTimersByTimeAsync(1_000)
  expect([said('07')?.held, said('x/07')?.held]).toEqual([[open], [secret]])
  expect([...notice.held()]).toEqual([open, secret].toSorted())
  expect(notice.holds(secret)).toBe(true)
  expect(notice.shownCount).toBe(1)
  secrets.delete(secret)
  notice.hold(secret)
  await vi.advanceTimersByTimeAsync(20_000)
  expect([said('07')?.held, said('x/07')?.held]).toEqual([[open, secret].toSorted(), []])
  expect(notice.shownCount).toBe(2)
  notice.drop(secret)
  expect(notice.shownCount).toBe(1)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(said('07')?.held).toEqual([open])
})

test('after a restart hidden holdings that are gone are taken back', async () => {
  const secret = inBucket('07', 2)
  secrets.add(secret)
  await notice.open()
  notice.hold(secret)
  await vi.advanceTimersByTimeAsync(1_000)
  await notice.close()
  notice = create()
  await notice.open()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(said('x/07')?.held).toEqual([])
})

test('a mark is set and taken back only on what is said to be here', async () => {
  await notice.open()
  const [here, gone] = [inBucket('07', 1), inBucket('07', 2)]
  for (const infoHash of [here, gone]) notice.hold(infoHash)
  for (const infoHash of [here, gone]) notice.release(infoHash)
  notice.drop(gone)
  for (const infoHash of [here, gone]) notice.stay(infoHash)
  notice.release(gone)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(said('07')).toEqual({ held: [here], releasing: [], refused: [] })
})
