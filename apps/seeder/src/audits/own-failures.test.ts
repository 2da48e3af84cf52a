import { createHash, randomBytes } from 'node:crypto'
import { auditKey, type AuditResult, tagOf, WebIdentity, type NodeId } from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { OwnFailures } from './own-failures.ts'

const bytes = randomBytes(100)
const [held, other] = ['ab'.padEnd(40, '1'), 'ab'.padEnd(40, '2')]
let self: NodeId
let auditors: NodeId[]
let now: number
let disk: Buffer
let condition: { here: boolean; sound: boolean }
let done: string[]
let results: Map<string, { pub: NodeId; key: string; ts: number; body: AuditResult }>
let say: (auditor: NodeId, failed: string[], since?: number) => void
let own: OwnFailures

beforeAll(async () => {
  const ids = await Promise.all([1, 2, 3, 4, 5, 6].map(async () => (await WebIdentity.generate()).id))
  self = ids[0]!
  auditors = ids.slice(1)
})

beforeEach(() => {
  now = 1_800_000_000_000
  disk = Buffer.from(bytes)
  condition = { here: true, sound: true }
  done = []
  results = new Map()
  own = create()
})

afterEach(() => own.close())

function create(): OwnFailures {
  let watch: (given: typeof results extends Map<string, infer One> ? One : never) => void = () => undefined
  say = (auditor, failed, since = now) => {
    const key = auditKey(self, 'ab')
    const body = { passedAt: 0, proven: '', failed: failed.map((hash) => ({ tag: tagOf(hash), piece: 3, since })) }
    const given = { pub: auditor, key, ts: now, body }
    results.set(auditor, given)
    watch(given)
  }
  const graph = {
    entries: () => [...results.values()],
    members: () => auditors.slice(0, 4),
    get: (_kind: string, _pub: NodeId, key: string) =>
      key === 'ab' ? { body: { held: [held], releasing: [], refused: [] } } : undefined,
    watch: (_kind: string, listener: typeof watch) => {
      watch = listener
      return () => undefined
    },
  }
  return new OwnFailures({
    self,
    graph: graph as never,
    library: {
      check: () => Promise.resolve(condition.here),
      quarantinePiece: (infoHash, piece) => void done.push(`quarantine ${infoHash} ${piece}`),
      verify: (infoHash) => {
        done.push(`verify ${infoHash}`)
        return Promise.resolve(condition.sound)
      },
    },
    read: () =>
      Promise.resolve({
        length: 100,
        read: (target, length, position) => Promise.resolve(disk.copy(target, 0, position, position + length)),
        close: () => Promise.resolve(void done.push('close')),
      }),
    hashesOf: () => {
      const hashes = Buffer.concat([Buffer.alloc(60), createHash('sha1').update(bytes).digest()])
      return Promise.resolve({ pieceLength: 100, size: 400, hashes })
    },
    failed: ({ infoHash, piece }) => void done.push(`told ${infoHash} ${piece}`),
    now: () => now,
    clock: () => now,
    log: pino({ level: 'silent' }),
  })
}

const settled = () => expect.poll(() => done.at(-1), { interval: 1 })

test('what auditors say of a piece is told once, and a piece that is wrong here is set aside, to be mended', async () => {
  await own.start()
  disk[7]! ^= 1
  say(auditors[0]!, [held])
  await settled().toBe(`quarantine ${held} 3`)
  expect(done).toEqual([`told ${held} 3`, 'close', `quarantine ${held} 3`])
  say(auditors[1]!, [held])
  expect(own.current()).toEqual([{ infoHash: held, piece: 3, since: now, auditor: expect.any(String) as string }])
  expect(done).toHaveLength(3)
})

test('when the piece is right here, every byte of the item is hashed, at most once an hour', async () => {
  await own.start()
  say(auditors[0]!, [held])
  await settled().toBe(`verify ${held}`)
  say(auditors[0]!, [])
  expect(own.current()).toEqual([])
  now += 1_800_000
  say(auditors[0]!, [held])
  expect(done.filter((what) => what.startsWith('told'))).toHaveLength(2)
  expect(done.filter((what) => what.startsWith('verify'))).toHaveLength(1)
  say(auditors[0]!, [])
  now += 1_800_000
  say(auditors[0]!, [held])
  await settled().toBe(`verify ${held}`)
  expect(done.filter((what) => what.startsWith('verify'))).toHaveLength(2)
})

test('a piece that the disk gives only in part is wrong, and a file that is known to have changed is not read', async () => {
  await own.start()
  disk = disk.subarray(0, 50)
  say(auditors[0]!, [held])
  await settled().toBe(`quarantine ${held} 3`)
  condition.here = false
  now += 3_600_000
  say(auditors[0]!, [held])
  expect(done.at(-1)).toBe(`told ${held} 3`)
})

test('who is not believed, and what is not claimed, changes nothing', async () => {
  await own.start()
  say(auditors[4]!, [held])
  say(auditors[0]!, [other])
  expect([own.current(), done]).toEqual([[], []])
})

test('what was said before a restart is known after it', async () => {
  say(auditors[0]!, [held])
  await own.start()
  expect(own.current()).toHaveLength(1)
  expect(done[0]).toBe(`told ${held} 3`)
})
