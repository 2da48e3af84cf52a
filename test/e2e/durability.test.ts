import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, Program, seededBytes, until } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'
import { systemCalls, type SystemCall } from '../harness/trace.ts'

const traced = '/^(fsync|fdatasync|rename(at2?)?|write|writev|pwrite64|pwritev2?|sendto|sendmsg)$'

let network: Network

beforeAll(async () => {
  network = await Network.start({ seeders: 1, tracker: false })
})

afterAll(() => network.close())

/** What the seeder asked the system for while it published the bytes; undefined where no process may trace another. */
async function publishTraced(name: string, bytes: Uint8Array<ArrayBuffer>) {
  const seeder = network.first
  const file = join(network.folder, `trace-${name}`)
  const strace = new Program({
    name: 'strace',
    command: 'strace',
    args: ['-f', '-y', '-s', '32', '-e', `trace=${traced}`, '-o', file, '-p', String(seeder.pid)],
  })
  await until(() => strace.found((line) => /attached/.test(line) || undefined) ?? strace.ended !== undefined, {
    within: 10_000,
    what: 'strace is attached',
  })
  if (strace.output().includes('not permitted')) return undefined
  const media = await seeder.publish(name, bytes)
  await strace.end('SIGINT')
  return { media, calls: systemCalls(await readFile(file, 'utf8')) }
}

const sync = /^f(data)?sync$/
const write = /^(p?write|send)/
const catalog = /catalog\.db-wal>/
const created = /HTTP\/1\.1 201/
const refused = 'this system lets no process trace another'

function first(calls: SystemCall[], names: RegExp, text: RegExp, after?: SystemCall): SystemCall {
  const found = calls
    .filter((call) => names.test(call.name) && text.test(call.text) && call.began > (after?.ended ?? -1))
    .toSorted((a, b) => a.began - b.began)[0]
  if (found === undefined) throw new Error(`no ${names} of ${text} after ${after?.name ?? 'the start'}`)
  return found
}

test.skipIf(lacks('strace'))(
  'a 201 is sent when bytes, name and catalog are on disk, in this order',
  async (context) => {
    network.reportFailure()
    const trace = await publishTraced('durable.bin', seededBytes(1, 3_000_000))
    if (trace === undefined) return context.skip(refused)
    const { calls, media } = trace
    const prefix = media.sha256.slice(0, 2)
    const staged = /incoming\/[0-9a-f]+\/0>/

    const lastByte = calls.filter((call) => write.test(call.name) && staged.test(call.text)).at(-1)
    expect(lastByte).toBeDefined()
    const bytes = first(calls, sync, staged, lastByte)
    const name = first(calls, /^rename/, new RegExp(`incoming/.*blobs/${prefix}/${media.sha256}"`), bytes)
    const folder = first(calls, sync, new RegExp(`blobs/${prefix}>`), name)
    const row = first(calls, write, catalog, folder)
    const commit = first(calls, sync, catalog, row)
    const answer = first(calls, write, created, commit)

    for (const call of [bytes, folder, commit]) expect(call.text).toMatch(/= 0$/)
    const count = (names: RegExp, text: RegExp): number =>
      calls.filter((call) => names.test(call.name) && text.test(call.text)).length
    expect(count(/^rename/, /blobs/)).toBe(1)
    expect(count(write, created)).toBe(1)
    const rows = calls.filter((call) => write.test(call.name) && catalog.test(call.text) && call.began < answer.began)
    expect(rows[0]).toBe(row)
    const synced = calls.filter((call) => sync.test(call.name) && catalog.test(call.text) && call.ended < answer.began)
    expect(rows.every(({ ended }) => synced.some(({ began }) => ended < began))).toBe(true)
  },
)

test.skipIf(lacks('strace'))(
  'the 201 of a small item is sent when its bytes are on disk in the catalog; its file needs no sync before',
  async (context) => {
    network.reportFailure()
    const trace = await publishTraced('small.bin', seededBytes(2, 1024))
    if (trace === undefined) return context.skip(refused)
    const { calls, media } = trace
    const bytes = first(calls, write, new RegExp(`blobs/${media.sha256.slice(0, 2)}/${media.sha256}>`))
    // SQLite syncs the bytes of a transaction before what makes it one, or both at once.
    const row = first(calls, write, catalog, bytes)
    const commit = first(calls, sync, catalog, row)
    const answer = first(calls, write, created, commit)
    expect(commit.text).toMatch(/= 0$/)
    const before = calls.filter((call) => call.began < answer.began)
    const rows = before.filter((call) => write.test(call.name) && catalog.test(call.text))
    const synced = before.filter((call) => sync.test(call.name) && catalog.test(call.text) && call.ended < answer.began)
    expect(rows.every(({ ended }) => synced.some(({ began }) => ended < began))).toBe(true)
    expect(before.filter((call) => sync.test(call.name) && /blobs|incoming/.test(call.text))).toEqual([])
  },
)
