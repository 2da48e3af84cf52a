import { strict as assert } from 'node:assert'
import { describe, expect, it } from 'vitest'
import { Blocks } from './blocks.ts'
import { keyHash } from './key-hash.ts'
import { KeyTable } from './key-table.ts'
import { MemberLists } from './member-lists.ts'
import { Wheel } from './wheel.ts'

/** Numbers that look random and are the same in every run. */
const dice = (seed: number): ((below: number) => number) => {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return Math.floor(((state >>> 8) / 2 ** 24) * below)
  }
}

describe('keyHash', () => {
  // The vectors of HalfSipHash-1-3 for the bytes 00 01 02 ... under the key 00 to 07, from the Linux kernel's self-test.
  it.each([
    [0, 0x5814c896],
    [1, 0x7e059ea6],
    [2, 0x577999b1],
    [3, 0x6b28096c],
  ])('of %i words', (count, expected) => {
    const words = Int32Array.from(
      { length: count },
      (_, i) => (i * 4) | ((i * 4 + 1) << 8) | ((i * 4 + 2) << 16) | ((i * 4 + 3) << 24),
    )
    expect(keyHash(0x03020100, 0x07060504, words, count) >>> 0).toBe(expected)
  })
})

describe('KeyTable', () => {
  it('finds what a map finds, however often places are given back', () => {
    const roll = dice(1)
    const table = new KeyTable(300, 2, 3, () => 0.3)
    const map = new Map<string, number>()
    for (let step = 0; step < 20_000; step++) {
      const key = Int32Array.of(roll(20), roll(20) - 10)
      const place = table.find(key)
      expect(place).toBe(map.get(key.join()) ?? -1)
      if (place === -1) {
        const fresh = table.insert(key)
        assert.equal(fresh === -1, map.size === 300)
        if (fresh === -1) continue
        assert.equal(table.records[fresh * 3 + 2], 0)
        table.records[fresh * 3 + 2] = 77
        map.set(key.join(), fresh)
      } else if (roll(2) === 0) {
        table.remove(place)
        map.delete(key.join())
      }
      expect(table.size).toBe(map.size)
    }
    expect(new Set(map.values()).size).toBe(map.size)
  })

  it('finds everything while its index grows, and what is taken out then stays out', () => {
    const table = new KeyTable(20_000, 1, 1, () => 0.7)
    const key = Int32Array.of(0)
    const left = new Set<number>()
    const find = (number: number): number => {
      key[0] = number
      return table.find(key)
    }
    for (let number = 0; number < 20_000; number++) {
      expect(find(number)).toBe(-1)
      table.insert(key)
      // One in three leaves again, some of them from an index that is being left.
      const one = number - (number % 7) * 3
      if (number % 3 !== 2 || find(one) === -1) continue
      table.remove(find(one))
      left.add(one)
    }
    let places = 0
    table.forEach(() => places++)
    expect(places).toBe(table.size)
    expect(table.size).toBe(20_000 - left.size)
    for (let number = 0; number < 20_000; number++) assert.equal(find(number) === -1, left.has(number), `${number}`)
  })
})

describe('Blocks', () => {
  it('never gives one word twice, and joins what is given back', () => {
    const roll = dice(2)
    const blocks = new Blocks(1024)
    const taken: { at: number; order: number }[] = []
    const owners = new Uint8Array(1024)
    for (let step = 0; step < 20_000; step++) {
      if (roll(2) === 0) {
        const order = 1 + roll(5)
        const at = blocks.take(order)
        if (at === -1) continue
        for (let i = at; i < at + 2 ** order; i++) {
          assert.equal(owners[i], 0)
          owners[i] = 1
        }
        taken.push({ at, order })
      } else if (taken.length > 0) {
        const [{ at, order }] = taken.splice(roll(taken.length), 1) as [{ at: number; order: number }]
        owners.fill(0, at, at + 2 ** order)
        blocks.give(at, order)
      }
    }
    for (const { at, order } of taken) blocks.give(at, order)
    expect(blocks.take(10)).toBe(0)
    expect(blocks.take(1)).toBe(-1)
  })
})

describe('MemberLists', () => {
  it('holds what plain arrays hold', () => {
    const roll = dice(3)
    const lists = new MemberLists(5, 400)
    const plain: number[][] = [[], [], [], [], []]
    let members = 0
    for (let step = 0; step < 20_000; step++) {
      const list = roll(5)
      const array = plain[list] as number[]
      // Lists grow for a while and shrink for a while.
      const grows = step % 4000 < 2000 ? 3 : 1
      if (roll(4) < grows && members < 400) {
        assert.equal(lists.add(list, step), array.length)
        array.push(step)
        members++
      } else if (array.length > 0) {
        const at = roll(array.length)
        const last = array.pop() as number
        if (at < array.length) array[at] = last
        assert.equal(lists.remove(list, at), at < array.length ? last : -1)
        members--
      }
      expect(lists.count(list)).toBe(array.length)
      if (step % 100 !== 0) continue
      for (const [n, wanted] of plain.entries())
        assert.deepEqual(
          wanted.map((_, i) => lists.at(n, i)),
          wanted,
        )
    }
  })
})

describe('Wheel', () => {
  it('hands over each number once, at its tick, in bounded parts', () => {
    const roll = dice(4)
    const wheel = new Wheel(500, 16, 0)
    const due = new Map<number, number>()
    for (let tick = 0; tick < 400; tick++) {
      for (let i = 0; i < 20; i++) {
        const one = roll(500)
        if (due.has(one)) {
          wheel.remove(one)
          due.delete(one)
        } else {
          due.set(one, tick + roll(15))
          wheel.add(one, due.get(one) as number)
        }
      }
      let calls = 0
      for (let more = true; more; calls++) {
        let handed = 0
        more = wheel.advance(tick + 1, 3, (one) => {
          handed++
          expect(due.get(one)).toBe(tick)
          due.delete(one)
        })
        expect(handed).toBeLessThanOrEqual(3)
      }
      expect([...due.values()].every((at) => at > tick)).toBe(true)
    }
  })

  it('finds everything after a long sleep', () => {
    const wheel = new Wheel(10, 4, 0)
    wheel.add(1, 0)
    wheel.add(2, 3)
    const found: number[] = []
    wheel.advance(1_000_000, 100, (one) => found.push(one))
    expect(found.toSorted((a, b) => a - b)).toEqual([1, 2])
  })

  it('comes to an end with appointments beyond one turn, each made anew until it is due', () => {
    const wheel = new Wheel(10, 16, 3)
    const due = [3, 18, 19, 34, 100]
    for (const [one, tick] of due.entries()) wheel.add(one, tick)
    const handed: number[][] = []
    for (const before of [16, 36, 90, 101]) {
      const now: number[] = []
      const isMore = wheel.advance(before, 100, (one) => {
        const tick = due[one] as number
        if (tick >= before) wheel.add(one, tick)
        else now.push(one)
      })
      expect(isMore).toBe(false)
      handed.push(now.toSorted((a, b) => a - b))
    }
    expect(handed).toEqual([[0], [1, 2, 3], [], [4]])
  })
})
