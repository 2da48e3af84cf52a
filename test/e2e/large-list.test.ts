import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, sha256, until, type Media } from '../harness/index.ts'

let network: Network

beforeAll(async () => {
  network = await Network.start({ seeders: 2 })
})

afterAll(() => network.close())

test('an item with more files than its manifest can carry is copied whole, by its signed list', async () => {
  network.reportFailure()
  const form = new FormData()
  const files = new Map<string, string>()
  for (let i = 0; i < 400; i++) {
    const bytes = seededBytes(i + 1, 1_000 + i)
    const path = `ordner ü/${i % 7}/datei-${String(i).padStart(4, '0')}.bin`
    files.set(path.slice('ordner ü/'.length), sha256(bytes))
    form.append('file', new Blob([bytes]), path)
  }
  const response = await fetch(`${network.first.url}/v1/media`, {
    method: 'POST',
    headers: { authorization: `Bearer ${network.first.token}` },
    body: form,
  })
  expect(response.status).toBe(201)
  const media = (await response.json()) as Media
  const replica = network.at(1)
  await until(() => replica.holds(media.id), { within: 30_000, what: 'the replica holds it' })
  const copy = await replica.get<Media>(`/v1/media/${media.id}`)
  expect(copy.sha256).toBe(media.sha256)
  expect(new Map(copy.files.map((file) => [file.path, file.sha256]))).toEqual(files)
  const [path] = files.keys()
  const one = await fetch(`${replica.url}/v1/media/${media.id}/content/${encodeURI(path ?? '')}`)
  expect(sha256(new Uint8Array(await one.arrayBuffer()))).toBe(files.get(path ?? ''))
})
