import { expect, test } from 'vitest'
import { Share } from './share.ts'

test('grows slowly to 16 while audits come in time, and is halved, to 2 at least, by each that is late', () => {
  const share = new Share()
  expect(share.size).toBe(4)
  for (let i = 0; i < 5; i++) share.passed()
  expect(share.size).toBe(5)
  for (let i = 0; i < 1000; i++) share.passed()
  expect(share.size).toBe(16)
  share.late()
  expect(share.size).toBe(8)
  for (let i = 0; i < 10; i++) share.late()
  expect(share.size).toBe(2)
})
