import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Workbench } from '../testing/workbench.ts'
import type { MadeTorrent } from '../testing/workbench.ts'

let bench: Workbench

beforeEach(async () => {
  bench = await Workbench.open()
})

afterEach(() => bench.close())

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  bench.onClose(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Answers ranges of the contents by path, as the seeder's own route does. */
function ranges(files: Record<string, Buffer>, asked: string[] = []): RequestListener {
  return (request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    asked.push(path)
    const content = files[path]
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (content === undefined || range === null) return response.writeHead(404).end()
    const [from, to] = [Number(range[1]), Number(range[2])]
    response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${content.length}` })
    response.end(content.subarray(from, to + 1))
  }
}

function metainfoOf(made: MadeTorrent): { peers: string[]; metainfo: Uint8Array } {
  return { peers: [], metainfo: made.metainfo }
}

test.each([
  ['its folder', '/ws/', '/ws/one bin ✓'],
  ['itself', '/files/it', '/files/it'],
])('a single file is fetched from a web seed that names %s', async (_what, base, path) => {
  const made = await bench.torrent('one bin ✓', [['one bin ✓', 700_000]])
  const origin = await serve(ranges({ [path]: made.contents[0] ?? Buffer.alloc(0) }))
  const leecher = await bench.swarm()
  const request = await bench.request(made, { ...metainfoOf(made), webSeeds: [origin + base] })
  await leecher.fetch(request)
  expect((await readFile(request.filePath(0))).equals(made.contents[0] ?? Buffer.alloc(0))).toBe(true)
})

test('several files are fetched from below the item’s name', async () => {
  const made = await bench.torrent('an item', [
    ['a/ü.txt', 10],
    ['b#?.bin', 100_000],
    ['c', 5],
  ])
  const files = Object.fromEntries(
    ['a/ü.txt', 'b#?.bin', 'c'].map((path, index) => [`/ws/an item/${path}`, made.contents[index] ?? Buffer.alloc(0)]),
  )
  const origin = await serve(ranges(files))
  const leecher = await bench.swarm()
  const request = await bench.request(made, { ...metainfoOf(made), webSeeds: [`${origin}/ws/`] })
  const fetched = await leecher.fetch(request)
  expect(fetched.files).toHaveLength(3)
  for (const [index, content] of made.contents.entries()) {
    expect((await readFile(request.filePath(index))).equals(content)).toBe(true)
  }
})

test('web seeds that fail, lie or never end do not keep a good one from delivering', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 200_000]])
  const bad = await Promise.all([
    serve((_request, response) => response.writeHead(500).end()),
    serve((_request, response) => response.writeHead(206).end('short')),
    serve((_request, response) => response.writeHead(200).end(Buffer.alloc(300_000))),
    serve((_request, response) => {
      response.writeHead(206)
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      }
      response.on('drain', more)
      more()
    }),
    serve((request) => request.socket.destroy()),
  ])
  const good = await serve(ranges({ '/one.bin': made.contents[0] ?? Buffer.alloc(0) }))
  const leecher = await bench.swarm()
  const request = await bench.request(made, {
    ...metainfoOf(made),
    webSeeds: [...bad.map((origin) => `${origin}/`), `${good}/`],
  })
  await leecher.fetch(request)
  expect((await readFile(request.filePath(0))).equals(made.contents[0] ?? Buffer.alloc(0))).toBe(true)
})

test('a web seed that is away for a while is asked again', async () => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const answer = ranges({ '/one.bin': made.contents[0] ?? Buffer.alloc(0) })
  let requests = 0
  const origin = await serve((request, response) => {
    requests++
    if (requests === 1) response.writeHead(503).end()
    else answer(request, response)
  })
  const leecher = await bench.swarm()
  const request = await bench.request(made, { ...metainfoOf(made), webSeeds: [`${origin}/`] })
  expect((await leecher.fetch(request)).name).toBe('one.bin')
})

test.each(['web seed', 'redirect of a web seed', 'peer'])('a private address is not asked as a %s', async (kind) => {
  const made = await bench.torrent('one.bin', [['one.bin', 100_000]])
  const asked: string[] = []
  const inner = await serve(ranges({ '/one.bin': made.contents[0] ?? Buffer.alloc(0) }, asked))
  const seeder = await bench.swarm()
  seeder.seed(made.infoHash)
  const outer = await serve((_request, response) => response.writeHead(302, { location: `${inner}/one.bin` }).end())
  const leecher = await bench.swarm({ allowPrivate: false, allowedOrigins: [outer] })
  const request = await bench.request(made, {
    metainfo: made.metainfo,
    webSeeds: kind === 'peer' ? [] : [kind === 'web seed' ? `${inner}/` : `${outer}/`],
    peers: kind === 'peer' ? [`127.0.0.1:${seeder.port}`, `localhost:${seeder.port}`] : [],
    signal: AbortSignal.timeout(1_000),
  })
  await expect(leecher.fetch(request)).rejects.toThrow(/timeout/)
  expect(asked).toEqual([])
  expect(seeder.stats().uploaded).toBe(0)
})
