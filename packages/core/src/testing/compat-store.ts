import { describe, expect, test } from 'vitest'
import type { CompatStore, CompatValue } from '../graph/port.ts'

const value = (n: number, text = `"${n}"`, soul = 'albums/a'): CompatValue => ({
  soul,
  key: `k${String(n).padStart(2, '0')}`,
  state: n + 0.5,
  value: text,
})

/** What every store of public maps must do. `open` gives an empty one each time. */
export function compatStoreContract(name: string, open: () => CompatStore): void {
  describe(`${name} keeps the contract of a store of public maps`, () => {
    test('gives back what was put last, in key order and in pages', () => {
      const store = open()
      store.put('albums', [value(2), value(1, '"ünïcödé \\u0000"'), value(3, 'null', 'albums/b')])
      store.put('albums', [value(2, '{"#":"albums/b"}')])
      expect(store.get('albums/a', 'k02')).toEqual(value(2, '{"#":"albums/b"}'))
      expect(store.get('albums/a', 'k03')).toBeUndefined()
      expect(store.page('albums/a', '', 10).map(({ key }) => key)).toEqual(['k01', 'k02'])
      expect(store.page('albums/a', 'k01', 10).map(({ key }) => key)).toEqual(['k02'])
      expect(store.page('albums/a', '', 1).map(({ key }) => key)).toEqual(['k01'])
    })

    test('counts the bytes of each map, also of what was replaced', () => {
      const store = open()
      store.put('albums', [value(1, '"é"')])
      expect(store.bytes('albums')).toBe('albums/a'.length + 'k01'.length + 4 + 64)
      store.put('albums', [value(1, '"longer"')])
      expect(store.bytes('albums')).toBe('albums/a'.length + 'k01'.length + 8 + 64)
      expect(store.bytes('tracks')).toBe(0)
    })

    test('drops what was written longest ago, and of that map only', () => {
      const store = open()
      store.put('tracks', [value(1, '1', 'tracks/a')])
      store.put(
        'albums',
        Array.from({ length: 50 }, (_, n) => value(n)),
      )
      store.put('albums', [value(0, '"written again"')])
      const each = store.bytes('albums') / 50
      store.shrink('albums', each * 10)
      const left = store.page('albums/a', '', 100).map(({ key }) => key)
      expect(left[0]).toBe('k00')
      expect(left.slice(1)).toEqual(Array.from({ length: left.length - 1 }, (_, n) => `k${51 - left.length + n}`))
      expect(store.bytes('albums')).toBeLessThanOrEqual(each * 10)
      expect(store.bytes('albums')).toBeGreaterThan(each * 8)
      expect(store.get('tracks/a', 'k01')).toBeDefined()
      store.shrink('albums', 0)
      expect([store.bytes('albums'), store.page('albums/a', '', 100)]).toEqual([0, []])
    })
  })
}
