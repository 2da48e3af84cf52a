import { expect, test } from 'vitest'
import { toBase64url } from '../identity/index.ts'
import type { Admitted } from './guard.ts'
import { limits } from './limits.ts'
import { MemoryGraphStore } from './memory-store.ts'
import type { Entry } from './port.ts'
import { parseSoul } from './souls.ts'
import { shortDigest, Sums } from './sums.ts'

const network = 'abcdefghijklmnop'
const pub = toBase64url(new Uint8Array(32).fill(7))
const value = (n: number, ts = 1, text = `value ${n}`): Entry => {
  const key = (n % 256).toString(16).padStart(2, '0') + n.toString(16).padStart(38, '0')
  return { soul: `en1/${network}/m/${pub}/${key.slice(0, 2)}`, key, ts, value: text }
}

function holding(...entries: Entry[]) {
  const store = new MemoryGraphStore()
  const sums = new Sums({ network, store })
  const add = (...more: Entry[]): void => {
    store.upsert(more)
    sums.changed(more.map((entry) => ({ entry }) as Admitted))
  }
  add(...entries)
  return { store, sums, add }
}

test('equal values give equal sums, in whichever order they came and also after a restart', async () => {
  const entries = Array.from({ length: 600 }, (_, n) => value(n))
  const [one, two] = [holding(...entries), holding(...entries.toReversed())]
  const again = new Sums({ network, store: one.store })
  await again.build('')
  const digest = await one.sums.digest(pub)
  expect(digest).toMatch(/^[\w-]{22}$/)
  expect([await two.sums.digest(pub), await again.digest(pub)]).toEqual([digest, digest])
  expect(await one.sums.buckets(pub)).toHaveLength(256)
  expect(again.groups(true)).toEqual([pub])
})

test('one value more, newer or different changes its bucket and no other', async () => {
  const { sums, add } = holding(...Array.from({ length: 600 }, (_, n) => value(n)))
  let before = await sums.buckets(pub)
  let group = await sums.digest(pub)
  for (const change of [value(5, 2), value(5, 2, 'zzz'), value(5 + 256 * 9)]) {
    add(change)
    const after = await sums.buckets(pub)
    const changed = after.filter(([, digest], i) => digest !== before[i]?.[1]).map(([soul]) => soul)
    expect(changed).toEqual([change.soul])
    expect(await sums.digest(pub)).not.toBe(group)
    ;[before, group] = [after, await sums.digest(pub)]
  }
})

test('a value that comes while a sum is computed is not left out of the next one', async () => {
  const { sums, add } = holding(...Array.from({ length: 3000 }, (_, n) => value(n)))
  const running = sums.digest(pub)
  add(value(9000))
  await running
  const fresh = holding(...Array.from({ length: 3000 }, (_, n) => value(n)), value(9000))
  expect(await sums.digest(pub)).toBe(await fresh.sums.digest(pub))
})

test('finds the newest time of its own values and keeps to the quota', async () => {
  const { store, sums } = holding(value(1, 5), value(2, 9), value(3, 7))
  const again = new Sums({ network, store })
  expect(await again.build(pub)).toBe(9)
  const place = parseSoul(value(1).soul)!
  expect(sums.hasRoom(place, limits.quotaBytes - 100)).toBe(true)
  expect(sums.hasRoom(place, limits.quotaBytes)).toBe(false)
})

test('heartbeats, other networks and what is no soul are not compared', async () => {
  const { sums } = holding({ ...value(1), soul: `en1/${network}/hb/${pub}` }, { ...value(1), soul: 'constructor' })
  expect(sums.groups(true)).toEqual([])
  expect(sums.isCompared('__proto__', true)).toBe(false)
  expect(sums.belongs(value(1).soul, 'owner')).toBe(false)
})

test('50,000 values are summed without holding up the event loop', async () => {
  const { sums } = holding(...Array.from({ length: 50_000 }, (_, n) => value(n, 1, 'x'.repeat(600))))
  let turns = 0
  const pulse = setInterval(() => turns++, 1)
  await sums.digest(pub)
  clearInterval(pulse)
  expect(turns).toBeGreaterThan(10)
})

test('the short digest tells values apart', () => {
  expect(shortDigest('a')).toMatch(/^[\w-]{8}$/)
  expect(shortDigest('a')).not.toBe(shortDigest('b'))
})
