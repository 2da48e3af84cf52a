import { request } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PlainDoor, type Served } from './plain-door.ts'

let door: PlainDoor
beforeEach(() => (door = new PlainDoor()))
afterEach(() => door.close())

const content = Buffer.from(Array.from({ length: 2_500_000 }, (_, n) => n % 251))
const plain = (bytes = content) => ({
  size: bytes.length,
  read: async (target: Uint8Array, length: number, position: number) =>
    bytes.copy(target, 0, position, position + length),
  close: async () => undefined,
})

interface Asked {
  url?: string
  range?: string
  method?: string
  /** Whether the secret is sent. */
  knows?: boolean
}

/** As an HTTP client does that has the server as its proxy. */
function ask({ url, environment }: Served, { knows = true, range, method = 'GET', ...rest }: Asked = {}) {
  const { port, username } = new URL(environment['http_proxy'] ?? '')
  const authorization = `Basic ${Buffer.from(`${username}:`).toString('base64')}`
  const headers = { ...(knows && { 'proxy-authorization': authorization }), ...(range !== undefined && { range }) }
  return new Promise<{ status: number; range: string | undefined; body: Buffer }>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: rest.url ?? url, method, headers }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          range: answer.headers['content-range'],
          body: Buffer.concat(chunks),
        }),
      )
    })
      .on('error', reject)
      .end()
  })
}

test('who has the secret reads the file, by ranges too', async () => {
  await door.use(plain(), async (served) => {
    expect((await ask(served)).body.equals(content)).toBe(true)
    const { status, range, body } = await ask(served, { range: 'bytes=1000-' })
    expect([status, range]).toEqual([206, `bytes 1000-${content.length - 1}/${content.length}`])
    expect(body.equals(content.subarray(1000))).toBe(true)
    expect((await ask(served, { range: 'bytes=5-9' })).body.equals(content.subarray(5, 10))).toBe(true)
    expect((await ask(served, { range: `bytes=${content.length}-` })).status).toBe(416)
    const read: Uint8Array[] = []
    for await (const stretch of served.bytes()) read.push(stretch)
    expect(Buffer.concat(read).equals(content)).toBe(true)
  })
})

test('nobody else does, and nobody once the work is over', async () => {
  const late = await door.use(plain(), async (served) => {
    expect((await ask(served, { knows: false })).status).toBe(407)
    expect(
      (
        await ask({
          ...served,
          environment: { http_proxy: served.environment['http_proxy']?.replace(/[0-9a-f]{64}/, '0'.repeat(64)) ?? '' },
        })
      ).status,
    ).toBe(407)
    return served
  })
  expect((await ask(late)).status).toBe(407)
})

test('whatever else is asked for leads nowhere', async () => {
  await door.use(plain(), async (served) => {
    for (const url of ['http://127.0.0.1:1/x', 'http://plain.invalid/other', '/file', 'http://plain.invalid:81/file'])
      expect((await ask(served, { url })).status).toBe(404)
    expect((await ask(served, { method: 'POST' })).status).toBe(404)
  })
})

test('two files at once are each their own', async () => {
  const [one, two] = [plain(Buffer.from('one')), plain(Buffer.from('two!'))]
  const read = await door.use(one, (first) =>
    door.use(two, async (second) => [String((await ask(first)).body), String((await ask(second)).body)]),
  )
  expect(read).toEqual(['one', 'two!'])
})

test('bytes that cannot be decrypted end the connection, not the node', async () => {
  const broken = { ...plain(), read: () => Promise.reject(new Error('is wrong at chunk 0')) }
  await door.use(broken, async (served) => {
    await expect(ask(served)).rejects.toThrow(/socket hang up|ECONNRESET|aborted/)
  })
})
