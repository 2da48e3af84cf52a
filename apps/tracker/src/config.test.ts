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
  expect(printSettings(trackerSchema, load(''))).toContain('cluster.valkey = "" # ')
})

const load = (...argv: string[]) => loadSettings(trackerSchema, { argv })

it.each([
  [['--snapshot=/d/x', '--ledger.file=/d/x'], /snapshot .*\/d\/x is what ledger\.file names/],
  [['--snapshot=/d/x', '--admin.tokenFile=/d/../d/x'], /snapshot .*is what admin\.tokenFile names/],
  [['--snapshot=/d/x', '--ledger.file=/d/x.1', '--cluster.workers=2'], /snapshot .*\/d\/x\.1 is what ledger\.file/],
  [['--ledger.file=/d/x', '--access.deny=/d/x'], /access\.deny .*is what ledger\.file names/],
  [[`--network.owner=${'A'.repeat(43)}`, '--network.folder=/d', '--ledger.file=/d/graph.db'], /ledger\.file .*network/],
] as const)('%s: a file is of one setting', (argv, message) => {
  expect(() => load(...argv)).toThrow(message)
})

it('files of their own in one folder are taken', () => {
  const files = ['--snapshot=/d/peers', '--ledger.file=/d/ledger.db', '--admin.tokenFile=/d/token']
  expect(load(...files, `--network.owner=${'A'.repeat(43)}`, '--network.folder=/d').values.snapshot).toBe('/d/peers')
})

it('refuses what can serve nobody', () => {
  expect(() => load('--access.mode=listed')).toThrow(/access\.mode .*nothing can be listed/)
  expect(() => load('--network.peers=ws://x/gun')).toThrow(/network\.peers .*network\.owner/)
  load('--access.mode=listed', '--ledger.file=/d/ledger')
  load('--access.mode=listed', '--access.allow=/d/allow')
})

it.each(['peers', 'swarms', 'peersPerSwarm'])('limits.%s has an upper bound that is told', (name) => {
  expect(() => load(`--limits.${name}=1000000000000`)).toThrow(new RegExp(`limits\\.${name} .*to 100000000$`))
})

it('says which kinds of URL a node has', () => {
  expect(() => load('--network.peers=ftp://x')).toThrow(/got \["ftp:\/\/x"\], expected a list, each item a ws:\/\/ or/)
  expect(() => load('--members=10.0.0.0/40')).toThrow(/got "10\.0\.0\.0\/40", expected an address/)
  expect(() => load('--host=example.org')).toThrow(/got "example\.org", expected an IP address/)
})
