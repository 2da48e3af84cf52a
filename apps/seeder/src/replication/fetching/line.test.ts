import { expect, test } from 'vitest'
import { Heap } from './heap.ts'
import { Line, type Free } from './line.ts'
import { hope, isDoubtful, isLarge, leads, type Candidate } from './rank.ts'

/** The same numbers at each run. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % below
  }
}

test('a heap gives the first of what is in it, whatever was taken out before', () => {
  const any = seeded(1)
  const heap = new Heap<{ value: number }>((a, b) => a.value < b.value)
  const items: { value: number }[] = []
  const deleted: boolean[] = []
  for (let step = 0; step < 1_000; step++) {
    if (any(5) < 3) {
      const item = { value: any(1_000) }
      items.push(item)
      heap.add(item)
    } else if (items.length > 0) {
      const [item] = items.splice(any(items.length), 1)
      deleted.push(heap.delete(item!), !heap.delete(item!))
    }
    expect(heap.first?.value).toBe(items.length === 0 ? undefined : Math.min(...items.map(({ value }) => value)))
  }
  expect(new Set(deleted)).toEqual(new Set([true]))
})

/** As the line promises it, by looking at all. */
function foundByLooking(all: readonly Candidate[], now: number, free: Free): Candidate | undefined {
  const fits = (one: Candidate): boolean => {
    if (one.notBefore > now) return false
    if (one.rank.lane === 'repair') return free.repair > 0
    if (free.new <= 0 || (isDoubtful(one) && free.doubtful <= 0)) return false
    return free.large > 0 || !isLarge(one.rank)
  }
  const due = all.filter(fits).toSorted((a, b) => (leads(a, b) ? -1 : 1))
  const risk = due.find((one) => one.rank.lane === 'new' && isDoubtful(one))
  return free.lastForDoubtful && due[0]?.rank.lane === 'new' ? (risk ?? due[0]) : due[0]
}

test('a line gives whose turn it is, whatever came, went and changed', () => {
  const any = seeded(2)
  const line = new Line<Candidate>()
  const all: Candidate[] = []
  const rank = (): Candidate['rank'] => ({
    lane: any(3) === 0 ? 'repair' : 'new',
    urgent: any(2) === 0,
    unclaimed: any(4) === 0,
    rarity: any(3),
    since: any(3),
    size: any(2) * 2 ** 21,
  })
  for (let now = 0; now < 800; now++) {
    const what = any(5)
    if (what < 3) {
      const one: Candidate = { rank: rank(), attempts: any(3), notBefore: now + any(50), turn: now }
      all.push(one)
      line.add(one)
    } else if (what === 3 && all.length > 0) {
      line.delete(all.splice(any(all.length), 1)[0]!)
    } else if (all.length > 0) {
      const one = all[any(all.length)]!
      line.change(one, () => Object.assign(one, { rank: rank(), notBefore: now + any(50) - 25 }))
    }
    const free = { new: any(2), repair: any(2), large: any(2), doubtful: any(2), lastForDoubtful: any(2) === 0 }
    expect(line.next(now, free)).toBe(foundByLooking(all, now, free))
    expect(line.nextAt(now)).toBe(Math.min(...all.map(({ notBefore }) => notBefore).filter((at) => at > now)))
    expect(all.every((one) => hope(one, line.worst!) <= 0)).toBe(true)
  }
})
