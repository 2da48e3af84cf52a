import { beforeEach, expect, test } from 'vitest'
import type { Condition, Item, StorageState } from '../library/index.ts'
import { Door } from './door.ts'

const infoHash = 'ab'.repeat(20)
const auditors = ['a', 'b', 'c', 'd', 'e']
let opened: number
let condition: Condition
let storage: StorageState
let door: Door

beforeEach(() => {
  opened = 0
  condition = 'held'
  storage = 'here'
  const item = { pieceLength: 4, files: [{ sha256: 'x', size: 6 }] }
  door = new Door({
    self: 'self',
    library: {
      condition: () => condition,
      head: () => ({ infoHash, publisher: '', state: 'live', owner: '', access: 'public' }),
      metainfo: () => undefined,
      pieces: () => ({ verifiedAt: new Uint32Array(2), bad: [1] }),
      record: () => item as Item,
      storage: () => ({ folder: '', state: storage }),
      openBlob: () => {
        opened++
        return Promise.resolve({
          read: (target, length) => Promise.resolve(target.fill(7, 0, length) && length),
          close: () => Promise.resolve(void opened--),
        })
      },
    },
    isAuditor: (node) => auditors.includes(node),
    unreadable: (_infoHash, error) => expect.fail(String(error)),
  })
})

const open = (auditor: string) => door.open(auditor, 'self', infoHash, 0)

test('one auditor reads four pieces at a time, and a fifth when one of them is closed', async () => {
  const pieces = await Promise.all([1, 2, 3, 4].map(() => open('a')))
  await expect(open('a')).rejects.toMatchObject({ code: 'audits_busy', retryAfterMs: 1000 })
  await expect(open('b')).resolves.toMatchObject({ length: 4 })
  await pieces[0]?.close()
  await pieces[0]?.close()
  await open('a')
  await expect(open('a')).rejects.toMatchObject({ code: 'audits_busy' })
  expect(opened).toBe(5)
})

test('all of them together read sixteen', async () => {
  const all = auditors.slice(0, 4).flatMap((auditor) => [1, 2, 3, 4].map(() => auditor))
  const pieces = await Promise.all(all.map(open))
  await expect(open('e')).rejects.toMatchObject({ code: 'audits_busy' })
  await Promise.all(pieces.map((piece) => piece.close()))
  expect(opened).toBe(0)
  await open('e')
})

test('what is refused takes no place', async () => {
  for (let i = 0; i < 20; i++) await expect(door.open('a', 'self', infoHash, 9)).rejects.toThrow('does not hold')
  await expect(open('stranger')).rejects.toMatchObject({ code: 'not_auditor' })
  await Promise.all([1, 2, 3, 4].map(() => open('a')))
})

test('a piece ends where it ends', async () => {
  const last = await door.open('a', 'self', infoHash, 1)
  const target = Buffer.alloc(10)
  expect([last.length, await last.read(target, 10, 0), await last.read(target, 10, 2)]).toEqual([2, 2, 0])
})

test('of a copy some of whose pieces are bad the others are given', async () => {
  condition = 'patchy'
  await expect(open('a')).resolves.toMatchObject({ length: 4 })
  await expect(door.open('a', 'self', infoHash, 1)).rejects.toMatchObject({ code: 'not_held' })
})

test('while the disk is away nothing is said to be missing', async () => {
  storage = 'missing'
  await expect(open('a')).rejects.toMatchObject({ code: 'storage_suspended' })
  expect(() => door.metainfo('a', 'self', infoHash)).toThrow(expect.objectContaining({ code: 'storage_suspended' }))
  expect(opened).toBe(0)
})
