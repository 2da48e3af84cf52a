import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SnapshotError, SnapshotFiles } from './snapshot-file.ts'
import { Announce, Answer, Swarms } from './swarm/index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eldernode-snapshot-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const swarmsOf = (peers: readonly number[]): Swarms => {
  const swarms = new Swarms({
    limits: { swarms: 10, peersPerSwarm: 100, peers: 100 },
    ttl: { address: 1000, socket: 1000 },
    now: () => 0,
    random: Math.random,
    secret: () => 0.5,
  })
  const word = new Announce()
  for (const number of peers) {
    word.address[0] = number
    word.port = 1
    swarms.announce(word, new Answer())
  }
  return swarms
}

const filesOf = (name: string, shard?: number, lines: string[] = []): SnapshotFiles =>
  new SnapshotFiles(join(folder, name), pino({}, { write: (line: string) => void lines.push(line) }), shard)

test.each(['peers', 'peers.0', 'peers.0.partial'])('what stands at %s and holds no peers stays', (name) => {
  const path = join(folder, name)
  const files = filesOf('peers', 0)
  files.check()
  for (const text of ['precious', 'eldernode tracker people 1']) {
    writeFileSync(path, text)
    expect(() => files.check()).toThrow(SnapshotError)
    files.load(swarmsOf([]), 1000)
    files.discard()
    if (name !== 'peers') files.save(swarmsOf([1]))
    expect(readFileSync(path, 'utf8')).toBe(text)
  }
})

test('what came while the tracker ran stays, and the log says why no peers are kept', () => {
  const lines: string[] = []
  const files = filesOf('peers', undefined, lines)
  writeFileSync(join(folder, 'peers'), '')
  files.save(swarmsOf([1]))
  expect(readFileSync(join(folder, 'peers'), 'utf8')).toBe('')
  expect(lines.join()).toMatch(/is no file of peers.*cannot be kept/)
})

test('a path that no file can be written at is refused at the start', () => {
  expect(() => filesOf('nowhere/peers').check()).toThrow(/snapshot: .*nowhere\/peers cannot be made: its folder is not/)
  mkdirSync(join(folder, 'peers'))
  expect(() => filesOf('peers').check()).toThrow('is no file of peers')
  expect(readdirSync(folder)).toEqual(['peers'])
})

test('a damaged file of peers is one, and what is half written stands in no way', () => {
  writeFileSync(join(folder, 'peers'), 'eldernode tracker peers 1\nnonsense')
  writeFileSync(join(folder, 'peers.partial'), '')
  const files = filesOf('peers')
  files.check()
  files.save(swarmsOf([1, 2]))
  const swarms = swarmsOf([])
  files.load(swarms, 1000)
  expect(swarms.peers).toBe(2)
})

test('the log says of each file how many of its peers were taken', () => {
  filesOf('peers', 0).save(swarmsOf([1, 2]))
  filesOf('peers', 1).save(swarmsOf([3, 4, 5]))
  const lines: string[] = []
  filesOf('peers', undefined, lines).load(swarmsOf([]), 1000)
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { kept: 2, of: 2 },
    { kept: 3, of: 3 },
  ])
})
