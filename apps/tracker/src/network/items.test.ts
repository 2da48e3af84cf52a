import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { InfoHashSet } from '../access/index.ts'
import { wordsOf } from './info-hash.ts'
import { forGood, Items, retracted } from './items.ts'

const item = (n: number): string => n.toString(16).padStart(40, '0')
const [a, b] = [item(1), item(2)]

test('what signers say of an item is kept, whatever the order and the number of them', () => {
  const items = new Items(100)
  expect(items.claims(a)).toEqual([])
  items.claim(a, 'p', forGood)
  expect(items.claims(a)).toEqual([{ signer: 'p', until: forGood }])
  items.claim(a, 'p', retracted)
  expect(items.claims(a)).toEqual([{ signer: 'p', until: retracted }])
  items.claim(a, 'p', 5000)
  items.claim(a, 'q', forGood)
  expect(items.claims(a)).toEqual([
    { signer: 'p', until: 5000 },
    { signer: 'q', until: forGood },
  ])
  items.claim(a, 'p', forGood)
  items.claim(b, 'q', retracted)
  expect(items.claims(a).toSorted((x, y) => (x.signer < y.signer ? -1 : 1))).toEqual([
    { signer: 'p', until: forGood },
    { signer: 'q', until: forGood },
  ])
  expect([items.hasClaim(a, 'q'), items.hasClaim(b, 'p'), items.hasClaim(b, 'q')]).toEqual([true, false, true])
  expect([...items.ofSeveral()]).toEqual([a])
})

test('denials and what was told are kept beside the claims', () => {
  const items = new Items(100)
  items.deny(a, true)
  items.claim(a, 'p', 7000)
  items.told(a, false, true)
  expect([items.denial(a), items.denial(b)]).toEqual([true, undefined])
  items.claim(a, 'p', forGood)
  items.deny(a, false)
  items.told(a, true, false)
  expect([items.denial(a), items.isToldLive(a), items.isToldDenied(a), items.live, items.denied]).toEqual([
    false,
    true,
    false,
    1,
    0,
  ])
  expect([items.toldLive(), items.toldDenied()]).toEqual([[a], []])
  items.delete(a)
  expect([items.live, items.has(a), items.claims(a)]).toEqual([0, false, []])
})

test('an item takes at most 400 bytes, in the thread that follows and where announces are asked for', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = (): number => {
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const count = 100_000
  const before = used()
  const items = new Items(count)
  const listed = new InfoHashSet(Math.random)
  for (let n = 0; n < count; n++) {
    const infoHash = randomBytes(20).toString('hex')
    items.claim(infoHash, `publisher ${n % 10}`, forGood)
    items.told(infoHash, true, false)
    listed.add(wordsOf([infoHash]))
  }
  const bytes = (used() - before) / count
  expect([items.live, listed.size]).toEqual([count, count])
  expect(bytes).toBeGreaterThan(50)
  expect(bytes).toBeLessThan(400)
})
