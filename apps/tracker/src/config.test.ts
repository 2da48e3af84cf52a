import { loadSettings } from '@eldernode/core'
import { expect, it } from 'vitest'
import { trackerSchema } from './config.ts'

it.each([
  '--host=example.org',
  '--port=65536',
  '--trustProxy=10.0.0.0/33',
  '--trustProxy=10.0.0.0/8/8',
  '--trustProxy=x',
])('refuses %s by name', (flag) => {
  expect(() => loadSettings(trackerSchema, { argv: [flag] })).toThrow(/(host|port|trustProxy) \(flag --/)
})

it('takes addresses and ranges of both families', () => {
  const ranges = ['10.0.0.0/8', '127.0.0.1', 'fd00::/8', '::1']
  expect(loadSettings(trackerSchema, { argv: [`--trustProxy=${ranges.join(',')}`] }).values.trustProxy).toEqual(ranges)
})
