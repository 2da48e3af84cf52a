import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { veil } from './veil.ts'

test('goes on at any byte, hides, and takes itself off again', () => {
  const [key, plain] = [randomBytes(32), randomBytes(1000)]
  const whole = Buffer.from(veil(key, 0)(plain))
  expect(whole.equals(plain)).toBe(false)
  for (const at of [1, 15, 16, 17, 500, 999]) {
    expect(Buffer.from(veil(key, at)(plain.subarray(at))).equals(whole.subarray(at))).toBe(true)
  }
  expect(Buffer.from(veil(key, 0)(whole)).equals(plain)).toBe(true)
  const far = 2 ** 40 + 3
  expect(Buffer.from(veil(key, far)(veil(key, far)(plain))).equals(plain)).toBe(true)
})
