import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { obfuscated } from '../engine.ts'
import { Items } from './items.ts'
import { liveBytes } from '../testing/workbench.ts'

const someHash = (): string => randomBytes(20).toString('hex')

test('what is seeded and what is fetched are found by either hash', () => {
  const items = new Items()
  const [seeded, fetched] = [someHash(), someHash()]
  expect(items.seed(seeded)).toBe(true)
  expect(items.seed(seeded)).toBe(false)
  items.fetch(fetched)
  expect(items.size).toBe(2)
  expect([items.isSeeded(seeded), items.isSeeded(fetched), items.isSeeded(someHash())]).toEqual([true, false, false])
  expect([items.has(seeded), items.has(fetched), items.has('')]).toEqual([true, true, false])
  expect(items.byObfuscated(obfuscated(seeded))).toBe(seeded)
  expect(items.byObfuscated(obfuscated(fetched))).toBe(fetched)
  expect(items.byObfuscated(seeded)).toBeUndefined()
  items.delete(seeded)
  items.delete(seeded)
  expect(items.isSeeded(seeded)).toBe(false)
  expect(items.byObfuscated(obfuscated(seeded))).toBeUndefined()
  expect(items.seed(fetched)).toBe(true)
})

test('what was uploaded adds up, and goes with the item', () => {
  const items = new Items()
  const hashes = Array.from({ length: 200 }, someHash)
  for (const infoHash of hashes) items.seed(infoHash)
  const [first = '', last = ''] = [hashes[0], hashes.at(-1)]
  items.addUploaded(last, 5)
  items.addUploaded(first, 7)
  items.addUploaded(last, 5)
  items.addUploaded(someHash(), 9)
  expect([items.uploaded(first), items.uploaded(last), items.uploaded(hashes[1] ?? '')]).toEqual([7, 10, 0])
  items.delete(last)
  const other = someHash()
  items.seed(other)
  expect([items.uploaded(last), items.uploaded(other)]).toEqual([0, 0])
})

test('a hundred thousand items take tables and no objects', () => {
  const items = new Items()
  const before = liveBytes()
  const started = performance.now()
  const bytes = randomBytes(20 * 100_000)
  for (let index = 0; index < 100_000; index++) items.seed(bytes.toString('hex', index * 20, index * 20 + 20))
  expect(performance.now() - started).toBeLessThan(10_000)
  expect(items.size).toBe(100_000)
  expect(liveBytes() - before).toBeLessThan(500_000)
  expect(items.byObfuscated(obfuscated(bytes.toString('hex', 0, 20)))).toBe(bytes.toString('hex', 0, 20))
})
