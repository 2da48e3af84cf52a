import { loadSettings, printSettings } from '@eldernode/core'
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

it('takes a server of the ledger by its URL, and never prints its password', () => {
  const load = (url: string) => loadSettings(trackerSchema, { argv: [`--cluster.valkey=${url}`] })
  for (const url of ['redis://host', 'rediss://user:secret@host:6380/3'])
    expect(load(url).values.cluster.valkey).toBe(url)
  for (const url of ['http://host', 'redis://:secret@host/one', 'secret'])
    expect(() => load(url)).toThrow(/^(?!.*secret).*cluster\.valkey \(flag --/s)
  expect(printSettings(trackerSchema, load('redis://:secret@host'))).not.toContain('secret')
})
