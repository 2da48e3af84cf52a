import { randomBytes } from 'node:crypto'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { egressOf, raw, read, refusal, site } from './testing/web.ts'

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
    [
      'chunks that are packed',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
      'import_refused',
    ],
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

describe('when it breaks off', () => {
  const bytes = randomBytes(100_000)

  /** Sends half, then what the test says of the rest. */
  async function breaking(answer: (from: number, response: ServerResponse) => void, headers: OutgoingHttpHeaders) {
    const ranges: unknown[] = []
    const { url } = await site((request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
      if (request.headers.range === undefined) {
        response.writeHead(200, { 'content-length': bytes.length, ...headers })
        response.write(bytes.subarray(0, 50_000), () => response.destroy())
        return
      }
      ranges.push(request.headers['if-range'])
      answer(from, response)
    })
    return { url, ranges }
  }
  const rightly = (from: number, response: ServerResponse) =>
    response
      .writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
      .end(bytes.subarray(from))

  test.each([{ etag: '"strong"' }, { 'last-modified': 'Sat, 21 Nov 2026 00:00:00 GMT', etag: 'W/"weak"' }])(
    'the rest of the same bytes is asked for: %j',
    async (headers) => {
      const { url, ranges } = await breaking(rightly, headers)
      expect((await read(url, { resumeMs: 1 })).bytes.equals(bytes)).toBe(true)
      expect(ranges).toEqual([headers['last-modified'] ?? headers.etag])
    },
  )

  test('a server that is busy for a while is asked again', async () => {
    let busy = 2
    const { url } = await breaking(
      (from, response) => (busy-- > 0 ? void response.writeHead(503).end() : void rightly(from, response)),
      { etag: '"strong"' },
    )
    expect((await read(url, { resumeMs: 1 })).bytes.equals(bytes)).toBe(true)
  })

  test.each<[string, (from: number, response: ServerResponse) => void]>([
    ['all of it again', (_from, response) => void response.writeHead(200).end(bytes)],
    [
      'another range',
      (from, response) =>
        void response.writeHead(206, { 'content-range': `bytes 0-${from}/${bytes.length}` }).end(bytes),
    ],
    [
      'the rest of something longer',
      (from, response) =>
        void response.writeHead(206, { 'content-range': `bytes ${from}-${bytes.length}/${bytes.length + 1}` }).end('x'),
    ],
    ['no range', (_from, response) => void response.writeHead(416).end()],
  ])('%s is nothing to go on with', async (_what, answer) => {
    const { url } = await breaking(answer, { etag: '"strong"' })
    await expect(read(url, { resumeMs: 1 })).rejects.toEqual(refusal('import_changed'))
  })

  test('without a name for these very bytes, none are put together', async () => {
    const { url, ranges } = await breaking(rightly, { etag: 'W/"weak"' })
    await expect(read(url, { resumeMs: 1 })).rejects.toEqual(refusal('import_failed'))
    expect(ranges).toEqual([])
  })
})
