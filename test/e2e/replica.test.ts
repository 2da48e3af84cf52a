import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aria2, Network, seededBytes, sha256, sha256OfFile, until, type Media, type Seeder } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

interface Described extends Media {
  describing: boolean
  media?: object
  tags: string[]
  previews: { kind: string; infoHash: string; type: string; url: string }[]
}

let network: Network
let replica: Seeder
/** Comes by the swarm, and over HTTP alone because it is small. */
let large: Media
let film: Described

const described = (seeder: Seeder, id: string): Promise<Described> => seeder.get<Described>(`/v1/media/${id}`)

/** What stays the same whoever serves an item. */
function substance(item: Described): object {
  const { id, name, size, pieceLength, sha256: digest, files, media, tags, previews } = item
  const shown = previews.map(({ url: _url, ...preview }) => preview)
  return { id, name, size, pieceLength, digest, files, media, tags, previews: shown }
}

async function filmBytes(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = join(folder, 'film.mp4')
  const input = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10:duration=1']
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-nostdin', ...input, '-pix_fmt', 'yuv420p', path])
  return new Uint8Array(await readFile(path))
}

beforeAll(async () => {
  network = await Network.start({ seeders: 3 })
  replica = network.at(2)
  const origin = network.at(1)
  large = await origin.publish('large.bin', seededBytes(1, 5_000_000))
  const bytes = lacks('ffmpeg') ? seededBytes(2, 10_000) : await filmBytes(network.folder)
  const { id } = await origin.publish('film.mp4', bytes)
  film = await until(
    async () => {
      const found = await described(origin, id)
      return found.describing ? undefined : found
    },
    { within: 60_000, what: 'the origin has described the film' },
  )
  await until(
    async () => {
      for (const item of [large.id, film.id, ...film.previews.map(({ infoHash }) => infoHash)]) {
        if (!(await replica.holds(item))) throw new Error(`it lacks ${item}`)
      }
      return isDeepStrictEqual(substance(await described(replica, id)), substance(film))
    },
    { within: 60_000, what: 'the replica has all that the origin has' },
  )
  // Whatever answers from here on is the replica alone.
  await origin.kill()
  await rm(origin.folder, { recursive: true })
  await network.first.kill()
})

afterAll(() => network.close())

test('a replica whose origin is gone for good serves the bytes, as files and as a web seed', async () => {
  network.reportFailure()
  for (const item of [large, film]) {
    expect(await replica.content(item.id)).toEqual({ status: 200, sha256: item.sha256 })
    const seed = await fetch(`${replica.url}/v1/media/${item.id}/ws/${item.name}`, { headers: { range: 'bytes=5-' } })
    expect(seed.status).toBe(206)
    expect((await seed.arrayBuffer()).byteLength).toBe(item.size - 5)
  }
})

test('it lists them, and has their details and previews', async () => {
  network.reportFailure()
  const { items } = await replica.get<{ items: Media[] }>('/v1/media')
  expect(items.map(({ id }) => id).toSorted()).toEqual([large.id, film.id].toSorted())
  const own = await described(replica, film.id)
  expect(substance(own)).toEqual(substance(film))
  expect(own.magnet).toContain(encodeURIComponent(replica.url))
  expect(own.previews.length).toBe(lacks('ffmpeg') ? 0 : 1)
  for (const { infoHash, url } of own.previews) {
    expect(url).toBe(`${replica.url}/v1/media/${infoHash}/content`)
    const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer())
    expect(sha256(bytes)).toBe((await described(replica, infoHash)).sha256)
  }
})

test.skipIf(lacks('aria2c'))('its magnet works: a tracker names it, and it gives metadata and pieces', async () => {
  network.reportFailure()
  const { magnet } = await described(replica, large.id)
  // Without the address of its web seed.
  const bare = magnet.replace(/&ws=[^&]*/g, '')
  const folder = join(network.folder, 'client')
  await aria2(bare, folder)
  expect(await sha256OfFile(join(folder, 'large.bin'))).toBe(large.sha256)
})
