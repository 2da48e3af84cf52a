import { describe, expect, test } from 'vitest'
import type { Entry, GraphStore } from '../graph/port.ts'

const place = 'en1/net/m/pub/ab'
const entry = (key: string, ts: number, value = `value of ${key}`): Entry => ({ soul: place, key, ts, value })

/** What every graph store must do. `open` gives an empty one each time. */
export function graphStoreContract(name: string, open: () => GraphStore): void {
  describe(`${name} keeps the contract of a graph store`, () => {
    test('gives back what was kept, and nothing else', async () => {
      const store = open()
      await store.upsert([entry('a', 1), entry('b', 2, 'ünïcödé 🎬 \u0000')], true)
      expect(store.get(place, 'a')).toEqual(entry('a', 1))
      expect(store.get(place, 'b')).toEqual(entry('b', 2, 'ünïcödé 🎬 \u0000'))
      expect(store.get(place, 'c')).toBeUndefined()
      expect(store.get('en1/net/m/pub/ac', 'a')).toBeUndefined()
    })

    test('a newer time replaces, an older or equal one does not', async () => {
      const store = open()
      await store.upsert([entry('a', 5, 'five')], false)
      await store.upsert([entry('a', 4, 'four')], false)
      expect(store.get(place, 'a')?.value).toBe('five')
      await store.upsert([entry('a', 6, 'six')], true)
      await store.upsert([entry('a', 5, 'five')], true)
      expect(store.get(place, 'a')).toEqual(entry('a', 6, 'six'))
    })

    test.each([
      ['b', 'a'],
      ['aa', 'a'],
      // As UTF-16 the order of these two would be the other way round.
      ['\u{1F3AC}', '\uFFFD'],
    ])('of two values of one time the greater bytes stay, in whichever order they came: %j, %j', async (more, less) => {
      const [first, second] = [open(), open()]
      await first.upsert([entry('a', 1, more)], false)
      await first.upsert([entry('a', 1, less)], false)
      await second.upsert([entry('a', 1, less), entry('a', 1, more)], false)
      expect([first.get(place, 'a')?.value, second.get(place, 'a')?.value]).toEqual([more, more])
    })

    test('pages one soul in key order', async () => {
      const store = open()
      const keys = Array.from({ length: 25 }, (_, i) => `k${String(i).padStart(2, '0')}`)
      await store.upsert(
        keys.toReversed().map((key) => entry(key, 1)),
        false,
      )
      await store.upsert([{ ...entry('z', 1), soul: `${place}x` }], false)
      const pages = [store.page(place, '', 10), store.page(place, 'k09', 10), store.page(place, 'k19', 10)]
      expect(pages.map((page) => page.length)).toEqual([10, 10, 5])
      expect(pages.flat().map(({ key }) => key)).toEqual(keys)
      expect(store.page(place, 'k24', 10)).toEqual([])
    })

    test('lists the keys of one soul in order, all or those whose value contains a text', async () => {
      const store = open()
      const keys = Array.from({ length: 25 }, (_, i) => `k${String(i).padStart(2, '0')}`)
      const marked = (key: string): boolean => Number(key.slice(1)) % 3 === 0
      const entries = keys.map((key) => entry(key, 1, marked(key) ? '{"state":"%_gone"}' : '{"state":"%X_gone"}'))
      await store.upsert([...entries.toReversed(), { ...entry('z', 1), soul: `${place}x` }], false)
      expect([...store.keys(place, '', 20), ...store.keys(place, 'k19', 20)]).toEqual(keys)
      expect(store.keys(place, 'k24', 20)).toEqual([])
      const found = [...store.keys(place, '', 5, '"%_gone"'), ...store.keys(place, 'k12', 20, '"%_gone"')]
      expect(found).toEqual(keys.filter(marked))
      expect(store.keys(place, '', 20, 'none of them')).toEqual([])
    })

    test('knows the newest time of one soul', async () => {
      const store = open()
      await store.upsert([entry('a', 3), entry('b', 7), entry('c', 5), { ...entry('d', 9), soul: `${place}x` }], false)
      expect(store.newest(place)).toBe(7)
      expect(store.newest('en1/net/m/pub/00')).toBe(0)
    })

    test('lists the souls of a prefix in order', async () => {
      const store = open()
      const souls = ['en1/net/h/a/00', 'en1/net/m/a/00', 'en1/net/m/a/ff', 'en1/net/m/b/00', 'en1/net/o']
      await store.upsert(
        souls.toReversed().flatMap((soul) => [
          { ...entry('a', 1), soul },
          { ...entry('b', 1), soul },
        ]),
        false,
      )
      expect(store.souls('en1/net/m/', '', 10)).toEqual(souls.slice(1, 4))
      expect(store.souls('en1/net/m/', 'en1/net/m/a/00', 1)).toEqual(['en1/net/m/a/ff'])
      expect(store.souls('en1/net/m/', 'en1/net/m/b/00', 10)).toEqual([])
      expect(store.souls('en1/net/o', '', 10)).toEqual(['en1/net/o'])
      expect(store.souls('en1/other', '', 10)).toEqual([])
    })
  })
}
