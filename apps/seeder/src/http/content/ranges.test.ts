import { expect, test } from 'vitest'
import { RangeNotSatisfiableError } from '../errors.ts'
import { rangesOf } from './ranges.ts'

const asked = (header: string | undefined, size = 10_000) =>
  rangesOf(header, size)?.map(({ start, end }) => `${start}-${end}`)

// RFC 9110, sections 14.1.2 and 14.2, with its own examples: a file of 10,000 bytes.
test.each([
  ['bytes=0-499', ['0-500']],
  ['bytes=500-999', ['500-1000']],
  ['bytes=-500', ['9500-10000']],
  ['bytes=9500-', ['9500-10000']],
  ['bytes=0-0,-1', ['0-1', '9999-10000']],
  ['bytes= 0-999, 4500-5499, -1000', ['0-1000', '4500-5500', '9000-10000']],
  ['bytes=500-600,601-999', ['500-1000']],
  ['bytes=500-700,601-999', ['500-1000']],
  ['bytes=0-99999', ['0-10000']],
  ['bytes=-99999', ['0-10000']],
  ['BYTES=1-1', ['1-2']],
  // Empty elements of a list are no fault.
  ['bytes=,0-0, ,5000-5000,', ['0-1', '5000-5001']],
  // Those that lie outside are left out; the order is that of asking.
  ['bytes=5000-5009,99999-,0-9', ['5000-5010', '0-10']],
  // Those whose gap is smaller than what parts of their own would cost are one, where the first of them was asked for.
  ['bytes=9000-9009,100-109,0-9', ['9000-9010', '0-110']],
  ['bytes=0-9,4000-4009,5-20', ['0-21', '4000-4010']],
])('%s', (header, ranges) => {
  expect(asked(header)).toEqual(ranges)
})

test.each([
  undefined,
  '',
  'bytes',
  'bytes=',
  'bytes=-',
  'bytes=a-b',
  'bytes=2-1',
  'bytes=0-1,2-1',
  'bytes=0-1;2-3',
  'bytes=0x1-2',
  'bytes=+1-2',
  'bytes=1-12345678901234567',
  'octets=0-1',
  'bytes 0-1',
])('"%s" is ignored', (header) => {
  expect(asked(header)).toBeUndefined()
})

test.each(['bytes=10000-', 'bytes=10000-10001', 'bytes=-0', 'bytes=20000-30000,-0'])('%s lies outside', (header) => {
  expect(() => asked(header)).toThrow(RangeNotSatisfiableError)
})

test('of an empty file there is no range', () => {
  expect(asked('bytes=0-', 0)).toBeUndefined()
})

test('as many ranges as one may ask for cost no more than the file; more are the whole file', () => {
  const overlapping = (count: number) => `bytes=${Array.from({ length: count }, () => '0-9999').join(',')}`
  expect(asked(overlapping(64))).toEqual(['0-10000'])
  expect(asked(overlapping(65))).toBeUndefined()
  expect(asked(overlapping(1000))).toBeUndefined()
})
