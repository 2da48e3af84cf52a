import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, createServer as createTcpServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { ProxyAgent, request } from 'undici'
import { Egress, EgressProxy } from './index.ts'

const closers: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function site(host = '127.0.0.1', port = 0): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = []
  const server: Server = createServer((incoming, answer) => {
    seen.push(`${incoming.method} ${incoming.url} ${incoming.headers['proxy-authorization'] ?? ''}`.trim())
    incoming.pipe(answer)
    if (incoming.method === 'GET') answer.end('hello')
  })
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  closers.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, seen }
}

async function proxyFor(egress: Egress): Promise<EgressProxy> {
  const proxy = await EgressProxy.open(egress)
  closers.push(async () => {
    await proxy.close()
    await egress.close()
  })
  return proxy
}

const open = () => proxyFor(new Egress({ allowPrivate: true, allowedOrigins: [] }))
const guarded = () => proxyFor(new Egress({ allowPrivate: false, allowedOrigins: [] }))

async function through({ url }: EgressProxy, target: string, tunnelled: boolean, body?: string): Promise<string> {
  const agent = new ProxyAgent({ uri: url, proxyTunnel: tunnelled })
  try {
    const answer = await request(target, { dispatcher: agent, ...(body && { method: 'POST', body }) })
    return `${answer.statusCode} ${await answer.body.text()}`
  } finally {
    await agent.close()
  }
}

/** What comes back for this text, until the connection is closed. */
async function said({ url }: EgressProxy, sent: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(sent)
  return await text(socket)
}

const authorization = ({ url }: EgressProxy): string => {
  const { username, password } = new URL(url)
  return `Proxy-Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

test.each([true, false])(
  "passes on what may go out (in a tunnel: %s), without what is the proxy's",
  async (tunnelled) => {
    const { port, seen } = await site()
    const proxy = await open()
    expect(await through(proxy, `http://127.0.0.1:${port}/a?b`, tunnelled)).toBe('200 hello')
    expect(await through(proxy, `http://127.0.0.1:${port}/c`, tunnelled, 'body')).toBe('200 body')
    expect(seen).toEqual(['GET /a?b', 'POST /c'])
  },
)

test.each(['127.0.0.1', '127.1', '0177.0.0.1', '2130706433', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0'])(
  'lets nothing out to %s',
  async (host) => {
    const { port, seen } = await site()
    const proxy = await guarded()
    const known = authorization(proxy)
    const [plain, tunnel] = await Promise.all([
      said(proxy, `GET http://${host}:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${known}\r\n\r\n`),
      said(proxy, `CONNECT ${host}:${port} HTTP/1.1\r\nHost: x\r\n${known}\r\n\r\n`),
    ])
    expect(plain).toMatch(/^HTTP\/1.1 (403|502) /)
    expect(tunnel).toMatch(/^HTTP\/1.1 (403|502) /)
    expect(seen).toEqual([])
  },
)

test('a name is judged by the answer that is connected to', async () => {
  const { port, seen } = await site()
  const resolver = ((_host: string, _options: object, done: (error: null, found: object[]) => void) =>
    done(null, [{ address: '127.0.0.1', family: 4 }])) as never
  const proxy = await proxyFor(new Egress({ allowPrivate: false, allowedOrigins: [] }, { resolver }))
  const known = authorization(proxy)
  for (const start of [`GET http://public.example:${port}/`, `CONNECT public.example:${port}`]) {
    expect(await said(proxy, `${start} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${known}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 502 /,
    )
  }
  expect(seen).toEqual([])
})

test.each([
  ['without its secret', '', 407],
  ['with another secret', 'Proxy-Authorization: Basic ZWxkZXJub2RlOngK', 407],
])('nobody uses it %s', async (_what, header, status) => {
  const { port, seen } = await site()
  const proxy = await open()
  for (const start of [`GET http://127.0.0.1:${port}/`, `CONNECT 127.0.0.1:${port}`]) {
    const answer = await said(proxy, `${start} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${header}\r\n\r\n`)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  }
  expect(seen).toEqual([])
})

test.each([
  'GET /etc/passwd',
  'GET file:///etc/passwd',
  'GET ftp://127.0.0.1/',
  'CONNECT nowhere',
  'CONNECT a:b',
  'CONNECT :1',
  'CONNECT 127.0.0.1:99999',
  'CONNECT 127.0.0.1:0',
])('takes no %s', async (start) => {
  const proxy = await open()
  const answer = await said(
    proxy,
    `${start} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${authorization(proxy)}\r\n\r\n`,
  )
  expect(answer).toMatch(/^HTTP\/1.1 403 /)
})

test.each([true, false])('lets in as much as it may (in a tunnel: %s), and ends', async (tunnelled) => {
  const server = createServer((_incoming, answer) => {
    const more = (): void => {
      while (!answer.destroyed && answer.write(Buffer.alloc(65_536)));
    }
    answer.on('drain', more)
    more()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const proxy = await open()
  proxy.allow(1_000_000)
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await expect(through(proxy, target, tunnelled)).rejects.toThrow(/./)
  await expect(through(proxy, target, tunnelled)).rejects.toThrow(/./)
  expect(await new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(0)
})

test('closing ends what is under way', async () => {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const ended = new Promise<void>((resolve) => {
    server.once('connection', (socket) => socket.on('error', () => undefined).on('close', () => resolve()))
  })
  const proxy = await open()
  const { port } = server.address() as AddressInfo
  const answer = said(proxy, `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n${authorization(proxy)}\r\n\r\n`)
  await new Promise<void>((resolve) => server.once('connection', () => resolve()))
  await proxy.close()
  expect(await answer.catch(() => '')).not.toContain(' 502 ')
  await ended
  await new Promise((resolve) => server.close(resolve))
})
