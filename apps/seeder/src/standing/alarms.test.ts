import { expect, test } from 'vitest'
import { Alarms, type Raised } from './alarms.ts'
import type { Change } from './repair-times.ts'
import { replicationAlarms, type Watched } from './replication-alarms.ts'

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
    replicationAlarms(
      {
        onLevel: () => () => undefined,
        totals: () => ({ levels: { lost: { items: lost, bytes: 10 }, 'below-min': { ...none, items: belowMin } } }),
        stats: () => ({ clockBehind, clockOff, live, settled }),
      },
      () => 0,
    )().map(({ code }) => code)
  expect(watched(0, 0, false)).toEqual([])
  expect(watched(1, 2, true)).toEqual(['lost', 'below_min', 'clock_behind'])
  expect(watched(1, 2, false, 1)).toEqual(['alone'])
  expect(watched(1, 2, false, 1, false)).toEqual([])
  expect(watched(0, 0, false, 1)).toEqual([])
  expect(watched(0, 0, false, 3, true, true)).toEqual(['clock_off'])
})

test('an item raises an alarm once it stands low for a minute, also when it falls further meanwhile', () => {
  const levels = { lost: { items: 0, bytes: 0 }, 'below-min': { items: 0, bytes: 0 } }
  let now = 0
  let tell = (_change: Parameters<Parameters<Watched['onLevel']>[0]>[0]): void => undefined
  const alarms = replicationAlarms(
    {
      onLevel: (listener) => {
        tell = listener
        return () => undefined
      },
      totals: () => ({ levels }),
      stats: () => ({ clockBehind: false, clockOff: false, live: 3, settled: true }),
    },
    () => now,
  )
  const low = (level: string | undefined): level is keyof typeof levels => level !== undefined && level in levels
  const change = (infoHash: string, before: Change['before'], after: Change['after']) => {
    const size = 10
    for (const [level, sign] of [[before, -1] as const, [after, 1] as const]) {
      if (!low(level)) continue
      levels[level].items += sign
      levels[level].bytes += sign * size
    }
    tell({ infoHash, size, before, after, at: now })
  }
  const raised = () =>
    alarms().map(({ code, detail }) => `${code} ${/of ([^:(]*) \(|hold ([^:(]*) \(/.exec(detail)?.slice(1).join('')}`)
  // Published, copied and proven within seconds; then another one that is not.
  change('a', undefined, 'lost')
  change('b', undefined, 'lost')
  now = 5_000
  change('a', 'lost', 'at-target')
  change('b', 'lost', 'below-min')
  now = 59_999
  expect(raised()).toEqual([])
  now = 60_000
  expect(raised()).toEqual(['below_min 1 item'])
  // Its last copy goes: it does not stop being an alarm.
  change('b', 'below-min', 'lost')
  change('a', 'at-target', 'below-min')
  expect(raised()).toEqual(['below_min 1 item'])
  now = 120_000
  expect(raised()).toEqual(['lost 1 item', 'below_min 1 item'])
  // What is low for long is low in whatever way.
  change('b', 'lost', 'below-min')
  expect(raised()).toEqual(['below_min 2 items'])
  change('b', 'below-min', undefined)
  change('a', 'below-min', 'surplus')
  expect(raised()).toEqual([])
})
