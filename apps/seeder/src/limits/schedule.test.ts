import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, type Schedule } from './schedule.ts'

const zone = process.env['TZ']
beforeAll(() => {
  process.env['TZ'] = 'Europe/Berlin'
})
afterAll(() => {
  if (zone === undefined) delete process.env['TZ']
  else process.env['TZ'] = zone
})

const office: Schedule = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' }
const night: Schedule = { days: ['fri'], from: '22:00', to: '06:30' }
/** A time in Berlin; 16 November 2026 is a Monday. */
const local = (text: string): number => new Date(text).getTime()
const look = (schedule: Schedule, text: string): [boolean, string] => {
  const { within, next } = at(schedule, local(text))
  return [within, next === Infinity ? 'never' : new Date(next).toISOString()]
}
const iso = (text: string): string => new Date(text).toISOString()

describe('in one day', () => {
  test.each([
    ['2026-11-16T07:59:59.999', false, '2026-11-16T08:00'],
    ['2026-11-16T08:00', true, '2026-11-16T18:00'],
    ['2026-11-16T17:59:59.999', true, '2026-11-16T18:00'],
    ['2026-11-16T18:00', false, '2026-11-17T08:00'],
    ['2026-11-20T18:00', false, '2026-11-23T08:00'],
    ['2026-11-22T12:00', false, '2026-11-23T08:00'],
  ])('at %s', (time, within, next) => {
    expect(look(office, time)).toEqual([within, iso(next)])
  })
})

describe('past midnight', () => {
  test.each([
    ['2026-11-20T21:59', false, '2026-11-20T22:00'],
    ['2026-11-20T22:00', true, '2026-11-21T06:30'],
    ['2026-11-21T00:00', true, '2026-11-21T06:30'],
    ['2026-11-21T06:30', false, '2026-11-27T22:00'],
    ['2026-11-20T03:00', false, '2026-11-20T22:00'],
  ])('at %s', (time, within, next) => {
    expect(look(night, time)).toEqual([within, iso(next)])
  })
})

test('from and to alike is the whole day, and every day is always', () => {
  const sunday: Schedule = { days: ['sun'], from: '00:00', to: '00:00' }
  expect(look(sunday, '2026-11-22T00:00')).toEqual([true, iso('2026-11-23T00:00')])
  expect(look(sunday, '2026-11-23T00:00')).toEqual([false, iso('2026-11-29T00:00')])
  const always: Schedule = { ...office, days: [...office.days, 'sat', 'sun'], from: '05:00', to: '05:00' }
  for (let hour = 0; hour < 24 * 8; hour++)
    expect(at(always, local('2026-11-16T00:00') + hour * 3_600_000).within).toBe(true)
})

test('without days it is never', () => {
  expect(look({ ...office, days: [] }, '2026-11-16T12:00')).toEqual([false, 'never'])
})

// Clocks go from 02:00 to 03:00 on 29 March and from 03:00 back to 02:00 on 25 October 2026, Sundays both.
describe('when the clocks change', () => {
  const early: Schedule = { days: ['sun'], from: '02:30', to: '04:00' }

  test('a time that is skipped is the one as much later', () => {
    expect(look(early, '2026-03-29T01:59')).toEqual([false, '2026-03-29T01:30:00.000Z'])
    expect(look(early, '2026-03-29T03:29')).toEqual([false, iso('2026-03-29T03:30')])
    expect(look(early, '2026-03-29T03:30')).toEqual([true, iso('2026-03-29T04:00')])
  })

  test('of a time that comes twice it is the first', () => {
    const first = Date.UTC(2026, 9, 25, 0, 30)
    expect(at(early, first - 1)).toEqual({ within: false, next: first })
    expect(at(early, first)).toEqual({ within: true, next: Date.UTC(2026, 9, 25, 3) })
    expect(at(early, first + 3_600_000).within).toBe(true)
  })

  test('hours that span the change begin and end by the clock on the wall', () => {
    const sleep: Schedule = { days: ['sat'], from: '22:00', to: '06:00' }
    expect(look(sleep, '2026-03-28T22:00')).toEqual([true, '2026-03-29T04:00:00.000Z'])
    expect(look(sleep, '2026-10-24T22:00')).toEqual([true, '2026-10-25T05:00:00.000Z'])
  })
})
