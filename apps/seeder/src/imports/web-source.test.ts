import type { LookupAddress } from 'node:dns'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { Egress, type EgressLimits } from '../egress/index.ts'
import { openWebSource, type WebSourceOptions } from './web-source.ts'

const closers: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function listen(server: Server | TcpServer, host = '127.0.0.1', port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  closers.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

async function site(
  listener: RequestListener,
  host?: string,
  port?: number,
): Promise<{ url: string; port: number; urls: string[] }> {
  const urls: string[] = []
  const server = createServer((request, response) => {
    urls.push(request.url ?? '')
    listener(request, response)
  })
  const bound = await listen(server, host, port)
  closers.push(() => server.closeAllConnections())
  return { url: `http://${host ?? '127.0.0.1'}:${bound}`, port: bound, urls }
}

/** A server that says exactly this to whoever connects, and then what `more` sends. */
async function raw(text: string, more: (socket: Socket) => void = (socket) => socket.end()): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.once('data', () => {
      socket.write(text)
      more(socket)
    })
  })
  const port = await listen(server)
  closers.push(() => sockets.forEach((socket) => socket.destroy()))
  return `http://127.0.0.1:${port}/`
}

function egressOf(allowed: string[] | 'all' = 'all', limits: EgressLimits = {}): Egress {
  const policy = { allowPrivate: allowed === 'all', allowedOrigins: allowed === 'all' ? [] : allowed }
  const egress = new Egress(policy, { connectTimeout: 2_000, ...limits })
  closers.push(() => egress.close())
  return egress
}

interface Given extends Partial<WebSourceOptions> {
  egress?: Egress
}

async function read(
  url: string,
  { egress = egressOf(), ...options }: Given = {},
): Promise<{ name: string; bytes: Buffer }> {
  const { name, bytes } = await openWebSource(url, {
    dispatcher: egress.dispatcher,
    maxBytes: 1_000_000,
    pace: { windowMs: 10_000, bytesPerSecond: 1 },
    signal: AbortSignal.timeout(20_000),
    ...options,
  })
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return { name, bytes: Buffer.concat(chunks) }
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
const refusal = (code: string) => expect.objectContaining({ code })

describe('where it leads', () => {
  const odd = (port: number) => [
    `http://127.0.0.1:${port}/`,
    `http://127.1:${port}/`,
    `http://0177.0.0.1:${port}/`,
    `http://2130706433:${port}/`,
    `http://0x7f000001:${port}/`,
    `http://0x7f.0.0.0x1:${port}/`,
    `http://127%2e0%2e0%2e1:${port}/`,
    `http://127。0。0。1:${port}/`,
    `http://①②⑦.⓪.⓪.①:${port}/`,
    `http://0.0.0.0:${port}/`,
    `http://0:${port}/`,
    `http://[::1]:${port}/`,
    `http://[::]:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    `http://[::ffff:7f00:1]:${port}/`,
    `http://[::127.0.0.1]:${port}/`,
    `http://[64:ff9b::127.0.0.1]:${port}/`,
    `http://[64:ff9b:1::127.0.0.1]:${port}/`,
    `http://[2002:7f00:1::]:${port}/`,
    `http://localhost:${port}/`,
    `http://LOCALHOST.:${port}/`,
    `http://a.localhost:${port}/`,
    'http://169.254.169.254/latest/meta-data/',
    'http://[fe80::1]/',
    'http://[fec0::1]/',
    'http://[fc00::1]/',
    'http://10.0.0.1/',
    'http://172.31.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://198.18.0.1/',
    'http://192.0.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
  ]

  test.each(Array.from({ length: odd(0).length }, (_, index) => [odd(0)[index]?.replace(':0', ''), index] as const))(
    'neither asked for nor by a redirect does it lead to %s',
    async (_shown, index) => {
      const inner = await site((_request, response) => response.end('secret'))
      const target = odd(inner.port)[index] ?? ''
      const outer = await site((_request, response) => response.writeHead(302, { location: latin1(target) }).end())
      const egress = egressOf([outer.url])
      await expect(read(target, { egress })).rejects.toEqual(refusal('address_refused'))
      const redirected: unknown = await read(outer.url, { egress }).catch((error: unknown) => error)
      // Bytes beyond ASCII make no URL in a header.
      expect(['address_refused', ...(/[^ -~]/.test(target) ? ['import_refused'] : [])]).toContain(
        (redirected as { code: string }).code,
      )
      expect([outer.urls, inner.urls]).toEqual([['/'], []])
    },
  )

  /** Of two addresses of this machine one plays the public one. */
  class Rebound extends Egress {
    override isAllowedAddress(host: string): boolean {
      return host === '127.0.0.2' || (host !== '127.0.0.1' && super.isAllowedAddress(host))
    }
  }

  function rebound(answers: string[][]): { egress: Egress; asked: () => number } {
    let asked = 0
    const resolver = ((_host: string, _options: object, done: (error: null, found: LookupAddress[]) => void) => {
      const answer = answers[Math.min(asked++, answers.length - 1)] ?? []
      done(
        null,
        answer.map((address) => ({ address, family: 4 })),
      )
    }) as EgressLimits['resolver'] & object
    const egress = new Rebound({ allowPrivate: false, allowedOrigins: [] }, { resolver })
    closers.push(() => egress.close())
    return { egress, asked: () => asked }
  }

  test('a name is looked up once, and its answer is what is connected to', async () => {
    const open = await site((_request, response) => response.end('public'), '127.0.0.2')
    const inner = await site((_request, response) => response.end('secret'), '127.0.0.1', open.port)
    const { egress, asked } = rebound([['127.0.0.2'], ['127.0.0.1']])
    expect((await read(`http://rebind.example:${open.port}/`, { egress })).bytes.toString()).toBe('public')
    expect(asked()).toBe(1)
    expect(inner.urls).toEqual([])
  })

  test('a redirect to a name that leads elsewhere by now is judged anew', async () => {
    const open = await site(
      (_request, response) => response.writeHead(302, { location: '/again', connection: 'close' }).end(),
      '127.0.0.2',
    )
    const inner = await site((_request, response) => response.end('secret'), '127.0.0.1', open.port)
    const { egress, asked } = rebound([['127.0.0.2'], ['127.0.0.1']])
    const refused = read(`http://rebind.example:${open.port}/`, { egress })
    await expect(refused).rejects.toEqual(refusal('address_refused'))
    expect([asked(), inner.urls]).toEqual([2, []])
  })

  test('of several addresses of a name only those are tried that may be', async () => {
    const inner = await site((_request, response) => response.end('secret'))
    const { egress } = rebound([['127.0.0.1', '127.0.0.2', '127.0.0.1']])
    // Nobody listens on the public one.
    await expect(read(`http://both.example:${inner.port}/`, { egress })).rejects.toEqual(refusal('import_failed'))
    expect(inner.urls).toEqual([])
  })

  test.each([
    'file:///etc/passwd',
    'ftp://127.0.0.1/x',
    'gopher://127.0.0.1/x',
    'data:text/plain,x',
    'javascript:1',
    'ws://127.0.0.1/',
    'magnet:?xt=urn:btih:0123456789012345678901234567890123456789',
    'http://user:password@127.0.0.1/',
    'http://user@127.0.0.1/',
    'http://:password@127.0.0.1/',
    'http://',
    'http:// a/',
    `http://127.0.0.1/${'x'.repeat(2048)}`,
  ])('%s is not followed, given or by a redirect', async (target) => {
    await expect(read(target)).rejects.toEqual(refusal('import_refused'))
    const { url } = await site((_request, response) => response.writeHead(301, { location: latin1(target) }).end())
    await expect(read(url)).rejects.toEqual(refusal('import_refused'))
  })

  test('five redirects are followed and no more', async () => {
    const { url, urls } = await site((request, response) => {
      const left = Number(request.url?.slice(1))
      if (left === 0) response.end('there')
      else response.writeHead(308, { location: `./${left - 1}` }).end()
    })
    expect((await read(`${url}/5`)).bytes.toString()).toBe('there')
    urls.length = 0
    await expect(read(`${url}/6`)).rejects.toEqual(refusal('import_failed'))
    expect(urls).toEqual(['/6', '/5', '/4', '/3', '/2', '/1'])
  })

  test('a redirect with an endless body costs nothing', async () => {
    let ended = false
    const { url } = await site((request, response) => {
      if (request.url === '/there') return void response.end('there')
      response.writeHead(302, { location: '/there' })
      const timer = setInterval(() => response.write('x'.repeat(1000)), 1)
      response.on('close', () => {
        clearInterval(timer)
        ended = true
      })
    })
    expect((await read(url)).bytes.toString()).toBe('there')
    await expect.poll(() => ended).toBe(true)
  })

  test('nothing is sent that is not meant for the server', async () => {
    let headers: object = {}
    const { url } = await site((request, response) => {
      headers = request.headers
      response.end('x')
    })
    await read(`${url}/#secret`)
    expect(headers).toEqual({
      host: url.slice(7),
      connection: 'keep-alive',
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'eldernode',
    })
  })
})

describe('what it sends', () => {
  test.each([
    ['no status', '\u0000\u0001garbage\r\n\r\n', 'import_failed'],
    ['nothing', '', 'import_failed'],
    ['half of the headers', 'HTTP/1.1 200 OK\r\ncontent-le', 'import_failed'],
    ['less than it says', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort', 'import_failed'],
    ['half of a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhalf', 'import_failed'],
    [
      'a chunk of no size',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n',
      'import_failed',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx', 'import_failed'],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nx', 'import_failed'],
    ['a length beyond numbers', `HTTP/1.1 200 OK\r\ncontent-length: ${'9'.repeat(40)}\r\n\r\nx`, 'import_failed'],
    ['more than it may', 'HTTP/1.1 200 OK\r\ncontent-length: 1000001\r\n\r\nx', 'import_refused'],
    ['headers without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200_000)}\r\n\r\n`, 'import_failed'],
    [
      'another protocol',
      'HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
      'import_failed',
    ],
    ['a status of its own', 'HTTP/1.1 999 Odd\r\ncontent-length: 1\r\n\r\nx', 'import_failed'],
    ['a redirect to nowhere', 'HTTP/1.1 302 Found\r\ncontent-length: 1\r\n\r\nx', 'import_failed'],
    ['a part', 'HTTP/1.1 206 Partial\r\ncontent-length: 1\r\n\r\nx', 'import_failed'],
    ['an error', 'HTTP/1.1 503 Busy\r\ncontent-length: 1\r\n\r\nx', 'import_failed'],
  ])('%s', async (_what, text, code) => {
    await expect(read(await raw(text))).rejects.toEqual(refusal(code))
  })

  test('more than it says is not taken', async () => {
    const url = await raw(`HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nright${'wrong'.repeat(1000)}`)
    const outcome = await read(url).catch((error: unknown) => error)
    expect(outcome instanceof Error ? { name: '', bytes: Buffer.from('right') } : outcome).toMatchObject({
      bytes: Buffer.from('right'),
    })
  })

  test.each(['gzip', 'br', 'deflate, gzip', 'GZIP'])(
    'a body packed as %s is neither unpacked nor stored',
    async (encoding) => {
      const bomb = gzipSync(Buffer.alloc(10_000_000))
      const { url } = await site((_request, response) =>
        response.writeHead(200, { 'content-encoding': encoding }).end(bomb),
      )
      await expect(read(url)).rejects.toEqual(refusal('import_refused'))
    },
  )

  test('a packed file stays as it is', async () => {
    const packed = gzipSync(Buffer.alloc(100_000))
    const { url } = await site((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/gzip' }).end(packed),
    )
    expect((await read(`${url}/a.gz`)).bytes.equals(packed)).toBe(true)
  })
})

describe('how fast it sends', () => {
  const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
  const silent = (): void => undefined

  test.each([
    ['no word', ''],
    ['half a head', 'HTTP/1.1 200 OK\r\nx: y'],
    ['a head alone', head],
    ['a head and a byte', `${head}1\r\nx\r\n`],
  ])('a server that says %s, and then nothing, is left', async (_what, text) => {
    const url = await raw(text, silent)
    await expect(read(url, { egress: egressOf('all', { idleTimeout: 300 }) })).rejects.toEqual(refusal('import_failed'))
  })

  const every = (milliseconds: number, text: string) => (socket: Socket) => {
    const timer = setInterval(() => socket.write(text), milliseconds)
    socket.on('close', () => clearInterval(timer))
  }

  test('a byte now and then is too little', async () => {
    const url = await raw(head, every(20, '1\r\nx\r\n'))
    const slow = read(url, { pace: { windowMs: 200, bytesPerSecond: 1000 } })
    await expect(slow).rejects.toEqual(refusal('import_stalled'))
  })

  test.each([
    ['a header now and then', 'HTTP/1.1 200 OK\r\n', 'x: y\r\n'],
    ['one promise after the other', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('%s ends in time', async (_what, text, again) => {
    const url = await raw(text, every(20, again))
    const started = performance.now()
    await expect(read(url, { headMs: 1_000 })).rejects.toEqual(refusal('import_failed'))
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('an import called off ends at once, whatever it waits for', async () => {
    for (const text of ['', head]) {
      const abort = new AbortController()
      const pending = read(await raw(text, () => setTimeout(() => abort.abort(new Error('enough')), 20)), {
        signal: abort.signal,
      })
      await expect(pending).rejects.toThrow('enough')
    }
  })
})
