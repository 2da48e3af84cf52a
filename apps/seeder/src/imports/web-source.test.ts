import type { LookupAddress } from 'node:dns'
import { expect, onTestFinished, test } from 'vitest'
import { Egress, type EgressLimits } from '../egress/index.ts'
import { egressOf, latin1, read, refusal, site } from './testing/web.ts'

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
  onTestFinished(() => egress.close())
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
