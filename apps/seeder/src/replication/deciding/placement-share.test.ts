import { candidate, HolderIndex, type Candidate, type Manifest } from '@eldernode/core'
import { createHash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { PlacementShare } from './placement-share.ts'

const node = (name: string): string => createHash('sha256').update(name).digest('base64url')
const [self, publisher, third, fourth] = ['self', 'publisher', 'third', 'fourth'].map(node) as [
  string,
  string,
  string,
  string,
]
const infoHash = createHash('sha1').update('item').digest('hex')
const manifest: Manifest = {
  infoHash,
  name: 'a',
  size: 1_000,
  pieceLength: 16_384,
  files: [],
  trackers: [],
  replicas: { min: 1, target: 2 },
  access: 'public',
  createdAt: 1,
  state: 'live',
}

let live: Candidate[]
let index: HolderIndex
let held: boolean
let refused: boolean
let settled: boolean
let share: PlacementShare

const member = (id: string, free = 1_000_000): Candidate =>
  candidate(id, { zone: '', operator: '', state: 'active', capacity: 1_000_000_000, free })
const holds = (id: string) => index.set(id, infoHash.slice(0, 2), { held: [infoHash], releasing: [], refused: [] })

beforeEach(() => {
  live = [member(self), member(publisher)]
  index = new HolderIndex()
  held = false
  refused = false
  settled = false
  share = new PlacementShare({
    self,
    roster: { candidates: () => live },
    index,
    has: () => held,
    refuses: () => refused,
    inStep: () => true,
    settled: () => settled,
  })
})

test('the node is wanted beside the publisher when it is the only other one', () => {
  expect(share.wants(manifest, publisher)).toBe(true)
})

test('of many nodes exactly the target is wanted, each node counting by the same rule', () => {
  live = [self, publisher, third, fourth].map((id) => member(id))
  const wanted = [self, third, fourth].filter((id) =>
    new PlacementShare({
      self: id,
      roster: { candidates: () => live },
      index,
      has: () => false,
      refuses: () => false,
      inStep: () => true,
      settled: () => true,
    }).wants(manifest, publisher),
  )
  expect(wanted.length).toBe(1)
})

test('without room it is not wanted, unless it holds the item already', () => {
  live = [member(self, 10), member(publisher)]
  expect(share.wants(manifest, publisher)).toBe(false)
  held = true
  expect(share.wants(manifest, publisher)).toBe(true)
})

test('an item that it refuses is not wanted', () => {
  refused = true
  expect(share.wants(manifest, publisher)).toBe(false)
})

test('a node that nobody has heard of yet wants nothing', () => {
  live = [member(publisher)]
  expect(share.wants(manifest, publisher)).toBe(false)
})

test('right after a start a missing copy is made, but one that is not heard of is not replaced', () => {
  holds(publisher)
  expect(share.mayFetch(manifest)).toBe(true)
  holds(third)
  expect(share.mayFetch(manifest)).toBe(false)
  settled = true
  expect(share.mayFetch(manifest)).toBe(true)
})
