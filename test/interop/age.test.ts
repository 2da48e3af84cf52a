import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AgeFile } from '../../apps/seeder/src/encryption/age-file.ts'
import { type Media, Network, seededBytes, sha256 } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

const run = promisify(execFile)
let network: Network
let folder: string
const at = (name: string) => join(folder, name)

interface Reader {
  recipient: string
  file: string
}

async function newReader(name: string): Promise<Reader> {
  await run('age-keygen', ['-o', at(name)])
  const text = await readFile(at(name), 'utf8')
  return { recipient: /age1\S+/.exec(text)?.[0] ?? '', file: at(name) }
}

const decrypt = async (identity: string, file: string): Promise<Buffer> => {
  await run('age', ['-d', '-i', identity, '-o', `${file}.plain`, file])
  return await readFile(`${file}.plain`)
}

describe.skipIf(lacks('age'))("Debian's age", () => {
  beforeAll(async () => {
    network = await Network.start({ seeders: 1, tracker: false })
    folder = await mkdtemp(join(tmpdir(), 'eldernode-age-'))
  })

  afterAll(async () => {
    await network.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** What opens an item, as a reader gets it: its grant, opened by its own identity. */
  async function itemIdentity(id: string, reader: Reader): Promise<string> {
    const answer = await network.first.admin('GET', `/v1/media/${id}/grant?reader=${reader.recipient}`)
    expect(answer.status).toBe(200)
    const { wrapped } = (await answer.json()) as { wrapped: string }
    await writeFile(at(`${id}.grant`), Buffer.from(wrapped, 'base64'))
    const identity = at(`${id}.key`)
    await run('age', ['-d', '-i', reader.file, '-o', identity, at(`${id}.grant`)])
    return identity
  }

  async function stored(media: Media, path = ''): Promise<string> {
    const name = encodeURIComponent(media.name)
    const answer = await fetch(`${network.first.url}/v1/media/${media.id}/ws/${name}${path}`)
    expect(answer.status).toBe(200)
    const file = at(`${media.id}-${path.replaceAll('/', '_')}.age`)
    await writeFile(file, Buffer.from(await answer.arrayBuffer()))
    return file
  }

  test.each([1, 65_535, 65_536, 65_537, 1_048_576, 1_048_577, 3_000_001])(
    'opens what an upload of %i bytes became, by the identity that a reader was granted',
    async (size) => {
      const reader = await newReader(`reader-${size}`)
      const bytes = seededBytes(size, size)
      const answer = await network.first.admin(
        'PUT',
        `/v1/media?name=sound-${size}.ogg&encrypt=true&readers=${reader.recipient}`,
        bytes,
      )
      expect(answer.status).toBe(201)
      const media = (await answer.json()) as Media
      expect(media.name).toBe(`sound-${size}.ogg.age`)
      const file = await stored(media)
      expect(sha256(await readFile(file))).toBe(media.sha256)
      expect(sha256(await decrypt(await itemIdentity(media.id, reader), file))).toBe(sha256(bytes))
    },
  )

  test('opens a private album: what it is called, what it lists, and each of its files', async () => {
    const [reader, other] = [await newReader('listener'), await newReader('other')]
    const form = new FormData()
    form.append('access', 'private')
    form.append('readers', reader.recipient)
    const paths = Array.from({ length: 60 }, (_, n) => `disc/track ${n}.txt`)
    for (const path of paths) form.append('file', new Blob([`the sound of ${path}`]), `album/${path}`)
    const headers = { authorization: `Bearer ${network.first.token}` }
    const answer = await fetch(`${network.first.url}/v1/media`, { method: 'POST', body: form, headers })
    expect(answer.status).toBe(201)
    const media = (await answer.json()) as Media
    const identity = await itemIdentity(media.id, reader)
    const detail = await network.first.admin('GET', `/v1/media/${media.id}`)
    const { encryption } = (await detail.json()) as { encryption: { sealed: string } }
    await writeFile(at('sealed.age'), Buffer.from(encryption.sealed, 'base64'))
    const description = JSON.parse(String(await decrypt(identity, at('sealed.age')))) as { name: string; index: true }
    expect(description).toMatchObject({ name: 'album', index: true })
    const last = await stored(media, `/${media.files.length - 1}.age`)
    const list = JSON.parse(String(await decrypt(identity, last))) as { path: string }[]
    expect(list.map(({ path }) => path)).toEqual(paths)
    for (const n of [0, 59]) {
      const file = await stored(media, `/${n}.age`)
      expect(String(await decrypt(identity, file))).toBe(`the sound of ${paths[n]}`)
      await expect(decrypt(other.file, file)).rejects.toThrow('no identity matched')
    }
  })

  test('encrypts what this node reads, whole and by ranges', async () => {
    const reader = await newReader('own')
    const bytes = seededBytes(7, 400_001)
    await writeFile(at('plain'), bytes)
    await run('age', ['-r', reader.recipient, '-o', at('sealed'), at('plain')])
    const identity = /AGE-SECRET-KEY-1\S+/.exec(await readFile(reader.file, 'utf8'))?.[0] ?? ''
    const file = await AgeFile.open(at('sealed'), identity)
    expect(file.size).toBe(bytes.length)
    const hash = createHash('sha256')
    for await (const chunk of file.chunks()) hash.update(chunk)
    expect(hash.digest('hex')).toBe(sha256(bytes))
    const some = Buffer.alloc(70_000)
    expect(await file.read(some, some.length, 65_000)).toBe(some.length)
    expect(some.equals(bytes.subarray(65_000, 135_000))).toBe(true)
    await file.close()
  })
})
