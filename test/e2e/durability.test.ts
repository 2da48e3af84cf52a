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

test.skipIf(lacks('strace'))(
  'a 201 is sent when bytes, name and catalog are on disk, in this order',
  async (context) => {
    network.reportFailure()
    const seeder = network.first
    const file = join(network.folder, 'trace')
    const strace = new Program({
      name: 'strace',
      command: 'strace',
      args: ['-f', '-y', '-s', '32', '-e', `trace=${traced}`, '-o', file, '-p', String(seeder.pid)],
    })
    await until(() => strace.found((line) => /attached/.test(line) || undefined) ?? strace.ended !== undefined, {
      within: 10_000,
      what: 'strace is attached',
    })
    if (strace.output().includes('not permitted')) context.skip('this system lets no process trace another')
    const media = await seeder.publish('durable.bin', seededBytes(1, 3_000_000))
    await strace.end('SIGINT')

    const calls = systemCalls(await readFile(file, 'utf8'))
    const find = (names: RegExp, text: RegExp, after: SystemCall | undefined): SystemCall => {
      const found = calls
        .filter((call) => names.test(call.name) && text.test(call.text) && call.began > (after?.ended ?? -1))
        .toSorted((a, b) => a.began - b.began)[0]
      if (found === undefined) throw new Error(`no ${names} of ${text} after ${after?.name ?? 'the start'}`)
      return found
    }
    const sync = /^f(data)?sync$/
    const write = /^(p?write|send)/
    const prefix = media.sha256.slice(0, 2)
    const staged = /incoming\/[0-9a-f]+\/0>/
    const catalog = /catalog\.db-wal>/

    const lastByte = calls.filter((call) => write.test(call.name) && staged.test(call.text)).at(-1)
    expect(lastByte).toBeDefined()
    const bytes = find(sync, staged, lastByte)
    const name = find(/^rename/, new RegExp(`incoming/.*blobs/${prefix}/${media.sha256}"`), bytes)
    const folder = find(sync, new RegExp(`blobs/${prefix}>`), name)
    const row = find(write, catalog, folder)
    const commit = find(sync, catalog, row)
    const answer = find(write, /HTTP\/1\.1 201/, commit)

    for (const call of [bytes, folder, commit]) expect(call.text).toMatch(/= 0$/)
    const count = (names: RegExp, text: RegExp): number =>
      calls.filter((call) => names.test(call.name) && text.test(call.text)).length
    expect(count(/^rename/, /blobs/)).toBe(1)
    expect(count(write, /HTTP\/1\.1 201/)).toBe(1)
    const rows = calls.filter((call) => write.test(call.name) && catalog.test(call.text) && call.began < answer.began)
    expect(rows[0]).toBe(row)
    expect(rows.every(({ ended }) => ended < commit.began)).toBe(true)
  },
)
