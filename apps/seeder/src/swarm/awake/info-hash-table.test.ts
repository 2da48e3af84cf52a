import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { InfoHashTable } from './info-hash-table.ts'

const obfuscated = (infoHash: string): string => createHash('sha1').update('req2').update(infoHash, 'hex').digest('hex')

test('an infohash has one slot, found by hex, by bytes and by what an encrypted handshake says', () => {
  const table = new InfoHashTable()
  const infoHash = randomBytes(20).toString('hex')
  const slot = table.add(infoHash)
  expect(table.add(infoHash)).toBe(slot)
  expect(table.add(infoHash.toUpperCase())).toBe(slot)
  expect(table.slotOf(infoHash)).toBe(slot)
  expect(table.slotOf(Buffer.from(infoHash, 'hex'))).toBe(slot)
  expect(table.byObfuscated(obfuscated(infoHash))).toBe(slot)
  expect(table.byObfuscated(Buffer.from(obfuscated(infoHash), 'hex'))).toBe(slot)
  expect(table.byObfuscated(infoHash)).toBeUndefined()
  expect(table.infoHashAt(slot)).toBe(infoHash)
  expect(table.size).toBe(1)
  expect(table.delete(infoHash)).toBe(true)
  expect(table.delete(infoHash)).toBe(false)
  expect([table.slotOf(infoHash), table.byObfuscated(obfuscated(infoHash)), table.size]).toEqual([
    undefined,
    undefined,
    0,
  ])
})

test.each(['', 'x'.repeat(40), 'aa'.repeat(19), 'aa'.repeat(21), `${'a'.repeat(39)}g`])(
  'no infohash: "%s"',
  (infoHash) => {
    const table = new InfoHashTable()
    expect(() => table.add(infoHash)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
    expect(table.slotOf(infoHash)).toBeUndefined()
    expect(table.byObfuscated(infoHash)).toBeUndefined()
    expect(table.slotOf(Buffer.from(infoHash))).toBeUndefined()
    expect(table.size).toBe(0)
  },
)

test('agrees with a Map over 100,000 infohashes that come and go', () => {
  const table = new InfoHashTable()
  const oracle = new Map<string, number>()
  const gone: string[] = []
  const known: string[] = []
  let wrong = 0
  for (let turn = 0; turn < 200_000; turn++) {
    const at = Math.floor(Math.random() * known.length)
    const chosen = known[at]
    if (turn % 4 === 3 && chosen !== undefined) {
      known[at] = known.at(-1) ?? chosen
      known.pop()
      gone.push(chosen)
      oracle.delete(chosen)
      if (!table.delete(chosen)) wrong++
    } else {
      // Many share their first bytes, so that places collide.
      const infoHash = turn % 3 === 0 ? `00000000${randomBytes(16).toString('hex')}` : randomBytes(20).toString('hex')
      if (turn % 3 === 0 && turn > 3_000) continue
      oracle.set(infoHash, table.add(infoHash))
      known.push(infoHash)
    }
  }
  expect(table.size).toBe(oracle.size)
  expect(new Set(oracle.values()).size).toBe(oracle.size)
  expect([...table.slots()]).toEqual([...oracle.values()].toSorted((a, b) => a - b))
  for (const [infoHash, slot] of oracle) {
    if (table.slotOf(infoHash) !== slot || table.infoHashAt(slot) !== infoHash) wrong++
    if (table.byObfuscated(obfuscated(infoHash)) !== slot) wrong++
  }
  for (const infoHash of gone) if (table.slotOf(infoHash) !== undefined) wrong++
  expect(wrong).toBe(0)
})

test('infohashes that somebody chose to be alike are found as fast as others', () => {
  const table = new InfoHashTable()
  const alike = Array.from({ length: 50_000 }, (_, index) => index.toString(16).padStart(40, '0'))
  // Were they to fall on one place, this would take minutes.
  const slots = alike.map((infoHash) => table.add(infoHash))
  expect(alike.map((infoHash) => table.slotOf(infoHash))).toEqual(slots)
}, 5_000)
