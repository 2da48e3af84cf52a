import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Ascending } from './ascending.ts'
import { type Difference, differences } from './differences.ts'

const [self, other] = ['self', 'other']
const hash = (n: number): string => createHash('sha1').update(String(n)).digest('hex')
const byHash = (a: { infoHash: string }, b: { infoHash: string }): number => (a.infoHash < b.infoHash ? -1 : 1)

const patchy = hash(1_000)

interface Case {
  infoHash: string
  publisher: string
  published: boolean
  retracted: boolean
  held: 'live' | 'retracted' | 'not'
  offered: boolean
}

/** Every way in which graph, library and swarm may stand to one item. */
const cases: Case[] = [self, other]
  .flatMap((publisher) => [true, false].map((published) => ({ publisher, published })))
  .flatMap((one) => [true, false].map((retracted) => ({ ...one, retracted: retracted && one.published })))
  .flatMap((one) => (['live', 'retracted', 'not'] as const).map((held) => ({ ...one, held })))
  .flatMap((one) => [true, false].map((offered) => ({ ...one, offered })))
  .map((one, n) => ({ ...one, infoHash: hash(n) }))
  .toSorted(byHash)

function found(
  thorough: boolean,
  of: readonly Case[] = cases,
  storage: 'here' | 'missing' = 'here',
): { steps: number; found: Difference[]; learnt: string[] } {
  const learnt = new Set<string>()
  const steps = differences(
    {
      self,
      graph: {
        *manifests({ pub, bucket = '', retracted = false } = {}) {
          for (const publisher of pub === undefined ? [other, self] : [pub]) {
            const own = of.filter((one) => one.published && one.publisher === publisher)
            const wanted = own.filter((one) => one.infoHash.startsWith(bucket) && (!retracted || one.retracted))
            yield* wanted.map(({ infoHash }) => ({ pub: publisher, infoHash }))
          }
        },
      },
      library: {
        storage: () => ({ folder: '', state: storage }),
        patchy: () => [patchy],
        *heads() {
          for (const { held, ...rest } of of) if (held !== 'not') yield { ...rest, state: held }
        },
      },
      serving: {
        offers: (infoHash) => of.some((one) => one.infoHash === infoHash && one.offered),
        offered: () => of.filter(({ offered }) => offered).map(({ infoHash }) => infoHash),
      },
    },
    thorough,
    (publisher) => learnt.add(publisher),
  )
  const all = [...steps]
  return { steps: all.length, found: all.filter((step) => step !== undefined), learnt: [...learnt] }
}

const isJob = (infoHash: string) => (difference: Difference) =>
  'infoHash' in difference && difference.infoHash === infoHash

test.each([true, false])('what does not fit is found, and nothing else: thorough %j', (thorough) => {
  const { found: all, learnt } = found(thorough)
  for (const one of cases) {
    const { infoHash, publisher, published, retracted, held, offered } = one
    const unpublished = held === 'live' && publisher === self && !published
    const due = unpublished || (held === 'live' && !offered) || (thorough && retracted)
    expect([one, all.some(isJob(infoHash))]).toEqual([one, due])
    const lost = all.some((difference) => 'lost' in difference && difference.lost === infoHash)
    expect([one, lost]).toEqual([one, offered && held === 'not'])
  }
  expect(learnt.toSorted()).toEqual([other, self])
  // Its bad pieces are to be mended.
  expect(all.some(isJob(patchy))).toBe(true)
  expect(all.every((difference) => 'lost' in difference || difference.publisher !== '')).toBe(true)
})

test('of a disk that is away everything offered is lost, and there is nothing else to decide', () => {
  const { found: all } = found(false, cases, 'missing')
  const offered = cases.filter((one) => one.offered)
  expect(all).toEqual(offered.map(({ infoHash }) => ({ lost: infoHash })))
})

test('a library in order has a step for each item, and nothing to decide but what is to be mended', () => {
  const items = Array.from({ length: 500 }, (_, n) => ({
    infoHash: hash(n),
    publisher: self,
    published: true,
    retracted: false,
    held: 'live' as const,
    offered: true,
  })).toSorted(byHash)
  expect(found(true, items)).toEqual({ steps: 1501, found: [{ infoHash: patchy, publisher: self }], learnt: [self] })
})

test('a sorted sequence says what is among it, and is read no further than needed', () => {
  const read: string[] = []
  const texts = function* () {
    for (const text of ['b', 'd', 'e', 'g']) {
      read.push(text)
      yield text
    }
  }
  const ascending = new Ascending(texts())
  expect(['a', 'b', 'c', 'd'].map((text) => ascending.has(text))).toEqual([false, true, false, true])
  expect(read).toEqual(['b', 'd'])
  expect(['f', 'g', 'h'].map((text) => ascending.has(text))).toEqual([false, true, false])
  expect(new Ascending([]).has('a')).toBe(false)
})
