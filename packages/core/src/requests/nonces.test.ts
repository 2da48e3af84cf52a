import { expect, test } from 'vitest'
import { TooManyRequestsError } from './errors.ts'
import { Nonces } from './nonces.ts'

test('a nonce is used once, until it could not be accepted any more', () => {
  const nonces = new Nonces()
  expect(nonces.use('a', 'n', 100, 0)).toBe(true)
  expect(nonces.use('a', 'n', 100, 99)).toBe(false)
  expect(nonces.use('b', 'n', 100, 99)).toBe(true)
  expect(nonces.use('a', 'n', 200, 100)).toBe(true)
})

test('one node cannot fill the memory', () => {
  const nonces = new Nonces()
  for (let i = 0; i < 50_000; i++) nonces.use('a', `${i}`, 100, 0)
  expect(() => nonces.use('a', 'more', 100, 0)).toThrow(TooManyRequestsError)
  expect(nonces.use('b', 'more', 100, 0)).toBe(true)
  expect(nonces.use('a', 'more', 200, 100)).toBe(true)
})

test('among many nodes each has less', () => {
  const nonces = new Nonces()
  for (let i = 0; i < 100; i++) nonces.use(`${i}`, 'n', 100, 0)
  for (let i = 1; i < 5000; i++) nonces.use('0', `${i}`, 100, 0)
  expect(() => nonces.use('0', 'more', 100, 0)).toThrow('over 5000 signed requests')
  for (let i = 100; i < 1000; i++) nonces.use(`${i}`, 'n', 100, 0)
  for (let i = 1; i < 2000; i++) nonces.use('1', `${i}`, 100, 0)
  expect(() => nonces.use('1', 'more', 100, 0)).toThrow('over 2000 signed requests')
})

test('nor can many nodes, and their places are free again after the window', () => {
  const nonces = new Nonces()
  for (let i = 0; i < 10_000; i++) nonces.use(`${i}`, 'n', 100, 0)
  expect(() => nonces.use('new', 'n', 100, 50)).toThrow(TooManyRequestsError)
  expect(nonces.use('0', 'other', 150, 50)).toBe(true)
  expect(nonces.use('new', 'n', 200, 100)).toBe(true)
  expect(nonces.use('0', 'other', 200, 100)).toBe(false)
})
