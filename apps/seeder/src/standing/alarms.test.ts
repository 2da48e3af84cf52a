import { expect, test } from 'vitest'
import { Alarms, type Raised } from './alarms.ts'
import { replicationAlarms } from './replication-alarms.ts'

test('an alarm counts from when it was first seen, and anew after it was over', () => {
  let now = 1000
  let raised: Raised[] = [{ code: 'below_min', detail: 'one item' }]
  const failed: Raised = { code: 'audit_failed', detail: 'a piece', infoHash: 'aa', since: 500 }
  const alarms = new Alarms({ sources: [() => raised, () => [failed]], now: () => now })
  expect(alarms.current().map(({ code, since }) => [code, since])).toEqual([
    ['audit_failed', 500],
    ['below_min', 1000],
  ])
  now = 2000
  raised = [{ code: 'below_min', detail: 'two items' }]
  expect(alarms.current()[1]).toEqual({ code: 'below_min', detail: 'two items', since: 1000 })
  raised = []
  expect(alarms.current()).toHaveLength(1)
  now = 3000
  raised = [{ code: 'below_min', detail: 'one item', infoHash: 'aa' }]
  expect(alarms.current()[1]?.since).toBe(3000)
})

test('lost items, items below their minimum and a wrong clock are alarms', () => {
  const none = { items: 0, bytes: 0 }
  const watched = (lost: number, belowMin: number, clockBehind: boolean, live = 3, settled = true, clockOff = false) =>
    replicationAlarms({
      totals: () => ({ levels: { lost: { items: lost, bytes: 10 }, 'below-min': { ...none, items: belowMin } } }),
      stats: () => ({ clockBehind, clockOff, live, settled }),
    }).map(({ code }) => code)
  expect(watched(0, 0, false)).toEqual([])
  expect(watched(1, 2, true)).toEqual(['lost', 'below_min', 'clock_behind'])
  expect(watched(1, 2, false, 1)).toEqual(['alone'])
  expect(watched(1, 2, false, 1, false)).toEqual([])
  expect(watched(0, 0, false, 1)).toEqual([])
  expect(watched(0, 0, false, 3, true, true)).toEqual(['clock_off'])
})
