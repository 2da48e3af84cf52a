import { expect, test } from 'vitest'
import { HolderIndex, type Claim } from './holder-index.ts'
import type { Holdings } from './schema.ts'

const infoHash = (n: number): string => `ab${((n * 2654435761) >>> 0).toString(16).padStart(8, '0')}${'0'.repeat(30)}`
const all = Array.from({ length: 200 }, (_, n) => infoHash(n))
const nodes = Array.from({ length: 7 }, (_, n) => `node ${n}`)

function holdings(node: number, shift = 0): Holdings {
  const of = (state: number) => all.filter((_, n) => (n * 7 + node * 3 + shift) % 11 === state).toSorted()
  return { held: of(0), releasing: of(1), refused: of(2) }
}

function claims(index: HolderIndex, asked: string, except?: string): Claim[] {
  return index.claimsOf(asked, except).toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** What each node says of an item, asked node by node. */
function oneByOne(index: HolderIndex, asked: string, except?: string): Claim[] {
  return nodes.flatMap((id) => {
    const state = id === except ? undefined : index.stateOf(id, asked)
    return state === undefined ? [] : [{ id, state }]
  })
}

test('a bucket that is asked about many times in a row gives the same answers, whatever is said meanwhile', () => {
  const index = new HolderIndex()
  for (const [n, node] of nodes.entries()) index.set(node, 'ab', holdings(n))
  index.set(nodes[1]!, 'ab', holdings(5), true)
  for (const asked of all) expect(claims(index, asked)).toEqual(oneByOne(index, asked))
  for (const asked of all) expect(claims(index, asked, nodes[2])).toEqual(oneByOne(index, asked, nodes[2]))
  index.set(nodes[3]!, 'ab', holdings(3, 1))
  index.forget(nodes[4]!)
  for (const asked of all) expect(claims(index, asked)).toEqual(oneByOne(index, asked))
  expect(all.flatMap((asked) => claims(index, asked)).some(({ id }) => id === nodes[4])).toBe(false)
  expect(index.claimsOf(`cd${infoHash(1).slice(2)}`)).toEqual([])
})

test('infohashes that begin alike are told apart there too', () => {
  const index = new HolderIndex()
  const alike = Array.from({ length: 40 }, (_, n) => `ab${'7'.repeat(30)}${n.toString(16).padStart(8, '0')}`)
  index.set('even', 'ab', { held: alike.filter((_, n) => n % 2 === 0), releasing: [], refused: [] })
  index.set('odd', 'ab', { held: [], releasing: alike.filter((_, n) => n % 2 === 1), refused: [] })
  for (let round = 0; round < 2; round++) {
    for (const [n, one] of alike.entries()) {
      expect(index.claimsOf(one)).toEqual([
        n % 2 === 0 ? { id: 'even', state: 'held' } : { id: 'odd', state: 'releasing' },
      ])
    }
  }
})
