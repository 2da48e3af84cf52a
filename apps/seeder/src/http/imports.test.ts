import { createHash, randomBytes } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from './testing/test-node.ts'

interface Import {
  id: string
  state: string
  bytes: number
  total?: number
  infoHash?: string
  error?: { code: string; detail: string }
  links: { self: string; item?: string }
}

const allowed = { imports: { parallel: 2, allowPrivate: true } }
let node: TestNode
const closers: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  node = await startTestNode(allowed)
})
afterEach(async () => {
  await node.stop()
  for (const close of closers.splice(0)) await close()
})

async function site(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const post = (body: object): Promise<Response> =>
  node.ask('/v1/imports', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

async function begun(body: object): Promise<Import> {
  const response = await post(body)
  expect(response.status).toBe(202)
  const view = (await response.json()) as Import
  expect(response.headers.get('location')).toBe(view.links.self)
  return view
}

const look = async (id: string): Promise<Import> => (await (await node.ask(`/v1/imports/${id}`)).json()) as Import

async function over({ id }: Import): Promise<Import> {
  return await vi.waitFor(
    async () => {
      const view = await look(id)
      if (['queued', 'running'].includes(view.state)) throw new Error(`it is ${view.state}`)
      return view
    },
    { timeout: 20_000, interval: 20 },
  )
}

test('what a URL leads to is published, with what was said of it', async () => {
  const bytes = randomBytes(3_000_000)
  const base = await site((_request, response) => {
    response.setHeader('content-disposition', 'attachment; filename="a song.bin"').end(bytes)
  })
  const done = await over(await begun({ url: `${base}/get?x=1#here`, replicas: 2, tags: ['new'], title: 'A song' }))
  expect(done).toMatchObject({ state: 'done', bytes: bytes.length })
  const item = (await (await node.ask(`/v1/media/${done.infoHash}`)).json()) as { name: string; files: object[] }
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  expect(item).toMatchObject({ name: 'a song.bin', size: bytes.length, files: [{ sha256 }] })
  const content = await node.ask(`/v1/media/${done.infoHash}/content`)
  expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true)
  await node.swept()
})

async function publishedElsewhere(
  bytes: Buffer,
  name = 'far.bin',
): Promise<{ magnet: string; infoHash: string; torrent: string }> {
  const other = await startTestNode()
  closers.push(() => other.stop())
  const form = new FormData()
  form.append('file', new Blob([bytes.subarray(0, 100_000)]), `${name}/one`)
  form.append('file', new Blob([bytes.subarray(100_000)]), `${name}/deep/two`)
  const item = (await (await other.ask('/v1/media', { method: 'POST', body: form })).json()) as {
    magnet: string
    infoHash: string
  }
  const torrent = await (await other.ask(`/v1/media/${item.infoHash}/torrent`)).arrayBuffer()
  return { ...item, torrent: Buffer.from(torrent).toString('base64') }
}

test.each([
  {
    what: 'a magnet with a peer',
    body: ({ magnet }: { magnet: string }) => ({ magnet: magnet.replace(/&ws=[^&]*/g, '') }),
  },
  { what: 'a magnet with a peer and a web seed', body: ({ magnet }: { magnet: string }) => ({ magnet }) },
  { what: 'a .torrent with a web seed', body: ({ torrent }: { torrent: string }) => ({ torrent }) },
])('$what is kept under its own infohash', async ({ body }) => {
  const bytes = randomBytes(700_000)
  const source = await publishedElsewhere(bytes)
  const done = await over(await begun({ ...body(source), access: 'unlisted' }))
  expect(done).toMatchObject({ state: 'done', infoHash: source.infoHash, bytes: bytes.length })
  const item = await (await node.ask(`/v1/media/${source.infoHash}`)).json()
  expect(item).toMatchObject({ name: 'far.bin', size: bytes.length, access: 'unlisted' })
  const two = await node.ask(`/v1/media/${source.infoHash}/content/deep/two`)
  expect(Buffer.from(await two.arrayBuffer()).equals(bytes.subarray(100_000))).toBe(true)
  // Once more, it is here.
  expect(await over(await begun(body(source)))).toMatchObject({ state: 'done', infoHash: source.infoHash })
  await node.swept()
})
