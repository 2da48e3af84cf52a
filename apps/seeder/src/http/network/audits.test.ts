import { createHash, randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Identity, signRequest, WebIdentity } from '@eldernode/core'
import { request } from 'undici'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readMetainfo } from '../../swarm/index.ts'
import type { Problem } from '../problem.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

interface Media {
  id: string
  pieceLength: number
  files: { sha256: string }[]
}

const [first, second] = [randomBytes(40_000), randomBytes(50_001)]
let node: TestNode
let self: string
let auditor: Identity
let item: Media

const admit = async (identity: Identity, roles: string[]) => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' } }
  const answer = await node.ask('/v1/members', { ...init, body: JSON.stringify({ member: identity.id, roles }) })
  expect(answer.status).toBe(201)
}

beforeAll(async () => {
  node = await startTestNode()
  self = ((await (await node.ask('/v1/node')).json()) as { id: string }).id
  auditor = await WebIdentity.generate()
  await admit(auditor, ['auditor'])
  item = await publish(first, second)
})

afterAll(async () => {
  await node.stop()
})

async function publish(...files: Buffer<ArrayBuffer>[]): Promise<Media> {
  const form = new FormData()
  for (const [i, bytes] of files.entries()) form.append('file', new Blob([bytes]), `${i}.bin`)
  const answer = await node.ask('/v1/media', { method: 'POST', body: form })
  expect(answer.status).toBe(201)
  return (await answer.json()) as Media
}

async function ask(path: string, who: Identity | undefined = auditor): Promise<Response> {
  const url = `${node.url}/v1/audits/${path}`
  return await fetch(url, { headers: await signRequest({ method: 'GET', url }, who, Date.now()) })
}

const bytesOf = async (path: string) => Buffer.from(await (await ask(path)).arrayBuffer())
const problemOf = async (answer: Response) => [answer.status, ((await answer.json()) as Problem).code]
const blob = (sha256: string) => join(node.data, 'blobs', sha256.slice(0, 2), sha256)

test('an auditor gets the metainfo and each piece, across files and to the last byte', async () => {
  const { hashes, size } = await (async () => {
    const { pieces, size: all } = readMetainfo(await bytesOf(`${self}/${item.id}`), { infoHash: item.id })
    return { hashes: Buffer.from(pieces), size: all }
  })()
  expect(size).toBe(90_001)
  const all: Buffer[] = []
  for (let piece = 0; piece * item.pieceLength < size; piece++) {
    const bytes = await bytesOf(`${self}/${item.id}/${piece}`)
    expect(
      createHash('sha1')
        .update(bytes)
        .digest()
        .equals(hashes.subarray(piece * 20, piece * 20 + 20)),
    ).toBe(true)
    all.push(bytes)
  }
  expect(Buffer.concat(all).equals(Buffer.concat([first, second]))).toBe(true)
})

test('a sample from within the piece comes ahead of it when asked for, and ends where the piece does', async () => {
  const piece = await bytesOf(`${self}/${item.id}/0`)
  const from = async (start: number) => await bytesOf(`${self}/${item.id}/0?sample=${start}`)
  expect((await from(0)).equals(Buffer.concat([piece.subarray(0, 16_384), piece]))).toBe(true)
  expect((await from(5000)).equals(Buffer.concat([piece.subarray(5000, 21_384), piece]))).toBe(true)
  expect((await from(2 ** 31)).equals(piece)).toBe(true)
  expect(await problemOf(await ask(`${self}/${item.id}/0?sample=-1`))).toEqual([400, 'invalid_input'])
})

test('the round trip needs no signature, and is answered for this node alone', async () => {
  expect((await fetch(`${node.url}/v1/audits/${self}`)).status).toBe(204)
  expect(await problemOf(await fetch(`${node.url}/v1/audits/${auditor.id}`))).toEqual([421, 'wrong_holder'])
})

test('this node answers for no neighbour, although it has the piece', async () => {
  for (const path of [`${auditor.id}/${item.id}`, `${auditor.id}/${item.id}/0`]) {
    const url = `${node.url}/v1/audits/${path}`
    // `fetch` sends a request that is answered by 421 once more.
    const answer = await request(url, { headers: await signRequest({ method: 'GET', url }, auditor, Date.now()) })
    expect([answer.statusCode, ((await answer.body.json()) as Problem).code]).toEqual([421, 'wrong_holder'])
  }
})

test('only members with the role auditor are let in', async () => {
  const seeder = await WebIdentity.generate()
  await admit(seeder, ['seeder', 'publisher'])
  for (const path of [`${self}/${item.id}`, `${self}/${item.id}/0`]) {
    expect(await problemOf(await ask(path, seeder))).toEqual([403, 'not_auditor'])
    expect(await problemOf(await ask(path, await WebIdentity.generate()))).toEqual([401, 'unsigned_request'])
    expect(await problemOf(await fetch(`${node.url}/v1/audits/${path}`))).toEqual([401, 'unsigned_request'])
  }
})

test('there is no item but those held, and no piece beyond the last', async () => {
  expect(await problemOf(await ask(`${self}/${'0'.repeat(40)}/0`))).toEqual([404, 'not_held'])
  expect(await problemOf(await ask(`${self}/${'0'.repeat(40)}`))).toEqual([404, 'not_held'])
  expect(await problemOf(await ask(`${self}/${item.id}/6`))).toEqual([404, 'not_held'])
  expect(await problemOf(await ask(`${self}/${item.id}/-1`))).toEqual([400, 'invalid_input'])
  expect(await problemOf(await ask(`${self}/${item.id}/1e99`))).toEqual([400, 'invalid_input'])
  expect(await problemOf(await ask(`${self}/zz/0`))).toEqual([400, 'invalid_input'])
})

test('what was retracted is said to be taken down, and what is paused is held', async () => {
  const gone = await publish(randomBytes(20_000))
  expect((await ask(`${self}/${gone.id}/0`)).status).toBe(200)
  await node.ask(`/v1/media/${gone.id}/pause`, { method: 'POST' })
  expect((await ask(`${self}/${gone.id}/0`)).status).toBe(200)
  await node.ask(`/v1/media/${gone.id}`, { method: 'DELETE' })
  expect(await problemOf(await ask(`${self}/${gone.id}/0`))).toEqual([410, 'taken_down'])
})

test('a piece is given as it lies on the disk, and a file that is gone is not held', async () => {
  const bytes = randomBytes(20_000)
  const damaged = await publish(bytes)
  const path = blob(damaged.files[0]?.sha256 ?? '')
  const flipped = await readFile(path)
  flipped[5]! ^= 1
  await writeFile(path, flipped)
  expect((await bytesOf(`${self}/${damaged.id}/0`)).equals(flipped.subarray(0, damaged.pieceLength))).toBe(true)
  const lost = await publish(randomBytes(20_000))
  await rm(blob(lost.files[0]?.sha256 ?? ''))
  expect(await problemOf(await ask(`${self}/${lost.id}/0`))).toEqual([404, 'not_held'])
  // The library hears of it by that.
  await expect.poll(async () => (await ask(`${self}/${lost.id}`)).status, { timeout: 20_000 }).toBe(404)
})

test('an auditor that asks for hundreds of pieces at once gets some, and keeps nobody else waiting', async () => {
  const urls = Array.from({ length: 400 }, (_, n) => `${node.url}/v1/audits/${self}/${item.id}/${n % 6}`)
  const signed = await Promise.all(
    urls.map(async (url) => ({ url, headers: await signRequest({ method: 'GET', url }, auditor, Date.now()) })),
  )
  const counts = new Map<number, number>()
  const flood = Promise.all(
    signed.map(async ({ url, headers }) => {
      const { statusCode, body } = await request(url, { headers })
      await body.dump()
      counts.set(statusCode, (counts.get(statusCode) ?? 0) + 1)
    }),
  )
  const other = await WebIdentity.generate()
  await admit(other, ['auditor'])
  expect((await ask(`${self}/${item.id}/0`, other)).status).toBe(200)
  await flood
  expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual(counts.size === 1 ? [200] : [200, 503])
  expect((await ask(`${self}/${item.id}/0`)).status).toBe(200)
})
