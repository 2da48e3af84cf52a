import { afterEach, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from './testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000 })

const [player, other] = ['https://player.example', 'https://other.example']
let node: TestNode
afterEach(() => node.stop())

const preflight = (path: string, origin: string, method: string, headers: string) =>
  node.ask(path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': headers,
    },
  })
const origin = (answer: Response) => answer.headers.get('access-control-allow-origin')

test('pages of the origins that are set may use the whole API, others nothing of it', async () => {
  node = await startTestNode({ cors: { origins: [player] } })
  for (const [path, method, headers] of [
    ['/v1/media', 'POST', 'authorization,content-type,idempotency-key'],
    ['/v1/uploads/x', 'PATCH', 'tus-resumable,upload-offset,content-type'],
    [`/v1/media/${'a'.repeat(40)}`, 'DELETE', 'authorization'],
    ['/v1/nothing', 'GET', 'range'],
  ] as const) {
    const answer = await preflight(path, player, method, headers)
    expect([path, answer.status, origin(answer)]).toEqual([path, 204, player])
    expect(answer.headers.get('access-control-allow-methods')).toContain(method)
    const allowed = answer.headers.get('access-control-allow-headers')?.toLowerCase().split(', ')
    for (const header of headers.split(',')) expect(allowed).toContain(header)
    expect(origin(await preflight(path, other, method, headers))).not.toBe(other)
  }
  // Errors too: a page must be able to read what went wrong.
  for (const path of ['/health', '/v1/media/none', '/v1/nothing', `/v1/media/${'a'.repeat(40)}/content`]) {
    const answer = await node.ask(path, { headers: { origin: player } })
    expect([path, origin(answer)]).toEqual([path, player])
    expect(answer.headers.get('vary')).toMatch(/origin/i)
    expect(origin(await node.ask(path, { headers: { origin: other } }))).not.toBe(other)
  }
})

test('pages may send and read what the uploads offer, and no more', async () => {
  node = await startTestNode()
  const asked = await preflight('/v1/uploads', player, 'POST', 'tus-resumable')
  const read = await node.ask('/health', { headers: { origin: player } })
  const names = `${asked.headers.get('access-control-allow-headers')}, ${read.headers.get('access-control-expose-headers')}`
  expect(names.split(', ').filter((name) => /^(Tus|Upload)-/.test(name))).toEqual([
    'Tus-Resumable',
    'Upload-Checksum',
    'Upload-Defer-Length',
    'Upload-Length',
    'Upload-Metadata',
    'Upload-Offset',
    'Tus-Extension',
    'Tus-Max-Size',
    'Tus-Resumable',
    'Tus-Version',
    'Upload-Expires',
    'Upload-Length',
    'Upload-Metadata',
    'Upload-Offset',
  ])
})

test('every page may, unless it is set otherwise; with no origin, none', async () => {
  node = await startTestNode()
  expect(origin(await node.ask('/health', { headers: { origin: other } }))).toBe('*')
  await node.restart({ cors: { origins: [] } })
  expect(origin(await node.ask('/health', { headers: { origin: other } }))).toBeNull()
})

test.each(['player.example', 'https://player.example/', 'https://player.example:443', 'null', 'file:///x'])(
  '"%s" is no origin',
  async (text) => {
    await expect(startTestNode({ cors: { origins: [text] } })).rejects.toThrow(/origin/)
    node = await startTestNode()
  },
)
