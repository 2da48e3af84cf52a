import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededBytes, sha256OfFile, TestHost, type Media } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'
import { clients } from './client.ts'
import { Publisher, withoutWebSeeds } from './publisher.ts'

// Transmission dials nobody on 127.0.0.1, and takes a peer with its own address for itself.
const noHost = lacks('ip') || process.getuid?.() !== 0
let host: TestHost
let publisher: Publisher
const published: Record<string, Media> = {}

beforeAll(async () => {
  if (noHost) return
  host = new TestHost()
  publisher = await Publisher.start(host.near)
  published['1 byte'] = await publisher.seeder.publish('one byte.bin', seededBytes(1, 1))
  published['exactly one piece'] = await publisher.seeder.publish('piece.bin', seededBytes(2, 16_384))
  published['100 MB'] = await publisher.seeder.publish('hundred.bin', seededBytes(3, 100_000_000))
  published['folders with unicode names'] = await publisher.publishFolder('Sammlung ✓ (2024)', {
    'Übersicht/Straße & Co.txt': seededBytes(4, 70_000),
    '日本語/フォルダ/映像.bin': seededBytes(5, 3_000_000),
    'emoji 🎬.bin': seededBytes(6, 16_384),
    '100% + #1.bin': seededBytes(7, 1),
  })
})

afterAll(async () => {
  if (noHost) return
  await publisher.close()
  host.close()
})

/** Every file as the client stored it, by its path within the item. */
async function stored(item: Media, folder: string): Promise<Record<string, string>> {
  const single = item.files.length === 1
  const sums = item.files.map(async ({ path }) => {
    const file = single ? join(folder, item.name) : join(folder, item.name, path)
    return [path, await sha256OfFile(file)]
  })
  return Object.fromEntries(await Promise.all(sums)) as Record<string, string>
}

function promised(item: Media): Record<string, string> {
  return Object.fromEntries(item.files.map(({ path, sha256 }) => [path, sha256]))
}

const asPublished = (magnet: string): string => magnet

/** Side by side, the longest first: each client waits for most of its time. */
const downloads = Object.keys(clients).flatMap((name) => [
  { name, what: '100 MB', how: 'from peers alone', change: withoutWebSeeds },
  ...['100 MB', 'folders with unicode names', 'exactly one piece', '1 byte'].map((what) => ({
    name,
    what,
    how: 'by the published magnet',
    change: asPublished,
  })),
])

test.concurrent.for(downloads)('$name downloads $what $how', async ({ name, what, change }, context) => {
  context.skip(lacks(name) || noHost)
  context.onTestFailed(() => console.error(publisher.output()))
  const [item, client] = [published[what], clients[name]]
  if (item === undefined || client === undefined) throw new Error('nothing was published')
  const folder = await publisher.temporary()
  await client(host, change(item.magnet), folder)
  expect(await stored(item, folder)).toEqual(promised(item))
})

test.skipIf(noHost)('the magnet names trackers, web seed and peer address', () => {
  const parts = new URL(published['1 byte']?.magnet ?? '').searchParams
  expect(parts.getAll('tr')).toHaveLength(3)
  expect(parts.get('ws')).toMatch(/^http:.*\/ws\/$/)
  expect(parts.get('x.pe')).toMatch(/:\d+$/)
  expect(parts.get('xl')).toBe('1')
})
