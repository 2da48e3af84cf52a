import { expect, test } from 'vitest'
import { isSame } from './blobs.ts'

const noted = { size: 1, mtimeUs: 2, ctimeUs: 3, inode: 4 }

test('a file is the same when all of its print is', () => {
  expect(isSame(noted, { ...noted })).toBe(true)
  expect(isSame(noted, undefined)).toBe(false)
  for (const key of ['size', 'mtimeUs', 'ctimeUs', 'inode'] as const)
    expect(isSame(noted, { ...noted, [key]: 9 })).toBe(false)
})

test('what was never noted is not compared', () => {
  expect(isSame({ size: 1, mtimeUs: 2 }, noted)).toBe(true)
  expect(isSame({ size: 1, mtimeUs: 5 }, noted)).toBe(false)
})
