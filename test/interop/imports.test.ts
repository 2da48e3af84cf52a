import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import { Program, Seeder, sha256, Tracker, until } from '../harness/index.ts'
import type { Settings } from '../harness/seeder.ts'
import { lacks } from '../harness/tools.ts'

const bytes = { 'one.bin': randomBytes(300_000), 'deep/two.bin': randomBytes(70_000) }

let folder: string
const ending: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-imports-'))
  for (const [path, content] of Object.entries(bytes)) {
    await mkdir(join(folder, 'far/deep'), { recursive: true })
    await writeFile(join(folder, 'far', path), content)
  }
})
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
  await rm(folder, { recursive: true, force: true })
})

interface Source {
  infoHash: string
  port: number
  /** The .torrent file, in base64. */
  torrent: string
}

function run(name: string, command: string, args: readonly string[]): Program {
  const program = new Program({ name, command, args, env: { HOME: folder } })
  ending.push(() => program.end('SIGKILL'))
  return program
}

async function webtorrent(...trackers: string[]): Promise<Source> {
  const file = join(folder, 'far.torrent')
  const script = join(import.meta.dirname, 'webtorrent-seeder.ts')
  const program = run('webtorrent', process.execPath, [script, join(folder, 'far'), file, ...trackers])
  const said = await until(() => program.lines.find((line) => /^[0-9a-f]{40} \d+$/.test(line)), {
    within: 30_000,
    what: 'WebTorrent seeds',
  })
  const [infoHash = '', port = ''] = said.split(' ')
  return { infoHash, port: Number(port), torrent: (await readFile(file)).toString('base64') }
}

/** Others seed what WebTorrent made a torrent of, and WebTorrent leaves. */
async function made(): Promise<Source> {
  const source = await webtorrent()
  await ending.pop()?.()
  return source
}

/** A torrent of versions 1 and 2 together (BEP 52), as libtorrent makes them: with files that only fill up pieces. */
async function hybrid(): Promise<Source> {
  const file = join(folder, 'far.torrent')
  const script = [
    'import libtorrent as lt, sys',
    'fs = lt.file_storage()',
    'lt.add_files(fs, sys.argv[1])',
    't = lt.create_torrent(fs)',
    'lt.set_piece_hashes(t, sys.argv[1] + "/..")',
    'made = lt.bencode(t.generate())',
    'open(sys.argv[2], "wb").write(made)',
    'info = lt.torrent_info(sys.argv[2])',
    'print(info.info_hashes().v1, info.info_hashes().has_v2())',
  ].join('\n')
  const program = run('maker', '/usr/bin/python3', ['-c', script, join(folder, 'far'), file])
  await program.exited()
  const [infoHash = '', second] = (program.lines[0] ?? '').split(' ')
  expect(second).toBe('True')
  return { infoHash, port: 0, torrent: (await readFile(file)).toString('base64') }
}

async function libtorrent(making = made): Promise<Source> {
  const source = await making()
  const script = join(import.meta.dirname, 'libtorrent-seeder.py')
  const program = run('libtorrent', '/usr/bin/python3', [script, join(folder, 'far.torrent'), folder, 'rc4'])
  const port = await until(() => Number(program.lines[0] ?? 0) || undefined, {
    within: 20_000,
    what: 'libtorrent seeds',
  })
  return { ...source, port }
}

async function aria2(): Promise<Source> {
  const source = await made()
  const port = await freePort()
  const program = run('aria2c', 'aria2c', [
    `--dir=${folder}`,
    ...['dht', 'dht6'].map((name) => `--enable-${name}=false`),
    '--bt-enable-lpd=false',
    '--disable-ipv6=true',
    '--no-conf=true',
    '--check-integrity=true',
    '--seed-ratio=0.0',
    `--listen-port=${port}`,
    join(folder, 'far.torrent'),
  ])
  await until(() => program.found((line) => (/IPv4 BitTorrent: listening/.test(line) ? true : undefined)), {
    within: 20_000,
    what: `aria2 seeds: ${program.output()}`,
  })
  return { ...source, port }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function started(): Promise<Tracker> {
  const tracker = new Tracker()
  ending.push(() => tracker.stop())
  await tracker.start()
  return tracker
}

async function node(settings: Settings = {}, name = 'node'): Promise<Seeder> {
  const seeder = new Seeder(name, join(folder, name), {
    'network.allowPrivate': true,
    'imports.allowPrivate': true,
    'swarm.trackers': [],
    ...settings,
  })
  ending.push(() => seeder.stop())
  onTestFailed(() => console.error(seeder.output()))
  await seeder.start()
  await seeder.ready()
  return seeder
}

async function imported(seeder: Seeder, body: object): Promise<{ state: string; infoHash?: string; error?: object }> {
  const headers = { authorization: `Bearer ${seeder.token}` }
  const asked = await fetch(`${seeder.url}/v1/imports`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const { id } = (await asked.json()) as { id: string }
  return await until(
    async () => {
      const view = (await (await fetch(`${seeder.url}/v1/imports/${id}`, { headers })).json()) as { state: string }
      return ['queued', 'running'].includes(view.state) ? undefined : view
    },
    { within: 90_000, what: 'the import is over' },
  )
}

async function hasAll(seeder: Seeder, infoHash: string): Promise<void> {
  for (const [path, content] of Object.entries(bytes)) {
    const answer = await fetch(`${seeder.url}/v1/media/${infoHash}/content/${path}`)
    expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(sha256(content))
  }
}

const clients: Record<string, { seed: () => Promise<Source>; tool?: string }> = {
  WebTorrent: { seed: () => webtorrent() },
  libtorrent: { seed: () => libtorrent(), tool: 'libtorrent' },
  'libtorrent (both versions)': { seed: () => libtorrent(hybrid), tool: 'libtorrent' },
  aria2: { seed: aria2, tool: 'aria2c' },
}

for (const [client, { seed, tool }] of Object.entries(clients)) {
  test.skipIf(tool !== undefined && lacks(tool))(
    `a magnet is fetched from ${client}, and seeded on to the very same swarm`,
    async () => {
      const source = await seed()
      const first = await node()
      const magnet = `magnet:?xt=urn:btih:${source.infoHash}&x.pe=127.0.0.1:${source.port}`
      expect(await imported(first, { magnet })).toMatchObject({ state: 'done', infoHash: source.infoHash })
      await hasAll(first, source.infoHash)
      // The first source leaves: who knows the same infohash has it from here.
      for (const end of ending.splice(0, ending.length - 1)) await end()
      const second = await node({}, 'second')
      const again = `magnet:?xt=urn:btih:${source.infoHash}&x.pe=${await first.peerAddress()}`
      expect(await imported(second, { magnet: again })).toMatchObject({ state: 'done', infoHash: source.infoHash })
      await hasAll(second, source.infoHash)
    },
  )
}

test('a .torrent is fetched from who is found through the own tracker, WebRTC included', async () => {
  const tracker = await started()
  const [seeder, source] = await Promise.all([
    node({ 'swarm.trackers': [tracker.webSocketUrl, ...tracker.urls] }),
    webtorrent(tracker.webSocketUrl),
  ])
  expect(await imported(seeder, { torrent: source.torrent })).toMatchObject({
    state: 'done',
    infoHash: source.infoHash,
  })
  await hasAll(seeder, source.infoHash)
})

test.each(['http', 'udp', 'ws'])(
  'a source is found through the %s tracker that a magnet names, if that is set',
  async (transport) => {
    const tracker = await started()
    const url = [...tracker.urls, tracker.webSocketUrl].find((known) => known.startsWith(transport)) ?? ''
    const source = await webtorrent(url)
    const seeder = await node({ 'imports.trackers': true })
    const magnet = `magnet:?xt=urn:btih:${source.infoHash}&tr=${encodeURIComponent(url)}`
    expect(await imported(seeder, { magnet })).toMatchObject({ state: 'done', infoHash: source.infoHash })
    await hasAll(seeder, source.infoHash)
  },
)

test.each([
  { trackers: false, events: [] },
  { trackers: true, events: ['started', 'stopped'] },
])('a tracker that a magnet names hears of the fetch and no more: $trackers', async ({ trackers, events }) => {
  const heard: (string | null)[] = []
  const tracker = createHttpServer((request, response) => {
    heard.push(new URL(request.url ?? '', 'http://x').searchParams.get('event'))
    response.end('d8:intervali1800e5:peers0:e')
  })
  await new Promise<void>((resolve) => tracker.listen(0, '127.0.0.1', resolve))
  ending.push(() => new Promise((resolve) => tracker.close(resolve).closeAllConnections()))
  const url = encodeURIComponent(`http://127.0.0.1:${(tracker.address() as AddressInfo).port}/announce`)
  const [seeder, source] = await Promise.all([node({ 'imports.trackers': trackers }), webtorrent()])
  const magnet = `magnet:?xt=urn:btih:${source.infoHash}&tr=${url}&x.pe=127.0.0.1:${source.port}`
  expect(await imported(seeder, { magnet })).toMatchObject({ state: 'done' })
  await hasAll(seeder, source.infoHash)
  expect([heard.slice(0, 1), heard.slice(1).slice(-1)].flat()).toEqual(events)
})
