import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, type Media } from '../harness/index.ts'

const large = 256 * 2 ** 20
const small = 100

let network: Network
let media: Media

beforeAll(async () => {
  network = await Network.start({ seeders: 1, tracker: false })
  media = await network.first.publish('large.bin', seededBytes(1, large))
  for (let i = 0; i < small; i++) await network.first.publish(`${i}.bin`, seededBytes(100 + i, 20_000))
})

afterAll(() => network.close())

/** Bytes that a process asked the system to read, from disk or from its cache (proc(5)). */
async function bytesRead(pid: number): Promise<number> {
  const [, count] = /^rchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8')) ?? []
  return Number(count)
}

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'after %s everything is served again, and nothing was hashed',
  async (signal) => {
    network.reportFailure()
    const seeder = network.first
    if (signal === 'SIGTERM') await seeder.stop()
    else await seeder.kill()
    await seeder.start()
    await seeder.ready(20_000)
    expect((await seeder.items()).size).toBe(small + 1)
    // Node and the program's own source are some 30 MB.
    expect(await bytesRead(seeder.pid)).toBeLessThan(large / 3)
    expect(await seeder.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
  },
)
