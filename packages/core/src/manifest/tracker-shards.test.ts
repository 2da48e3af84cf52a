import { expect, test } from 'vitest'
import { InvalidInputError } from '../errors.ts'
import { shardOf, shardsOf, shardUrl, trackersOf } from './tracker-shards.ts'

test.for([
  ['00000000', 4, 0],
  ['00000007', 4, 3],
  // As 32 bits without a sign, which trackers count by.
  ['ffffffff', 7, 3],
  ['80000000', 3, 2],
  ['deadbeef', 1, 0],
] as const)('%s falls, of %i shards, to %i', ([start, shards, expected]) => {
  expect(shardOf(start + 'ff'.repeat(16), shards)).toBe(expected)
})

test('a URL names its shards once, and not too many', () => {
  expect(shardsOf('wss://tracker.example/announce/{4}')).toBe(4)
  expect(shardsOf('wss://tracker.example/announce')).toBe(1)
  expect(shardUrl('wss://tracker.example/announce/{4}', 3)).toBe('wss://tracker.example/announce/3')
  for (const wrong of ['{0}', '{65}', '{}', '{4}/{4}', '{999999999999}'])
    expect(() => shardsOf(`ws://t.example/announce/${wrong}`)).toThrow(InvalidInputError)
})

test("an item's trackers are those of its shard", () => {
  const urls = ['wss://a.example/announce/{4}', 'udp://b.example:8000', 'ws://c.example/announce/{2}']
  expect(trackersOf(urls, `00000007${'ab'.repeat(16)}`)).toEqual([
    'wss://a.example/announce/3',
    'udp://b.example:8000',
    'ws://c.example/announce/1',
  ])
})
