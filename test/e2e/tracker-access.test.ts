import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { RawSocket, UdpPeer } from '../harness/announces.ts'
import { Tracker, until } from '../harness/index.ts'

const listed = Buffer.alloc(20, 1)
const unlisted = Buffer.alloc(20, 2)
const denied = Buffer.alloc(20, 3)

let folder = ''
let tracker: Tracker
const file = (name: string): string => join(folder, name)
const hex = (infoHash: Buffer): string => infoHash.toString('hex')

const settings = (limits: Readonly<Record<string, number>>): string =>
  `access = { mode = "listed", allow = "${file('allow')}", deny = "${file('deny')}" }\n` +
  `[limits]\n${Object.entries(limits)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')}`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-access-'))
  await writeFile(file('allow'), `${hex(listed)} # ours\n${hex(denied)}\n`)
  await writeFile(file('deny'), `${hex(denied)}\n`)
  await writeFile(file('tracker.toml'), settings({ swarmsPerMember: 1, swarmsPerSocket: 1 }))
  tracker = new Tracker({ config: file('tracker.toml') })
  await tracker.start()
})
afterAll(async () => {
  await tracker.stop()
  await rm(folder, { recursive: true, force: true })
})

const http = async (path: string, infoHash: Buffer): Promise<string> => {
  const query = `info_hash=${hex(infoHash).replace(/../g, '%$&')}&peer_id=-XX0001-000000000001&port=7001&left=1`
  return Buffer.from(await (await fetch(`http://127.0.0.1:${tracker.port}${path}?${query}`)).arrayBuffer()).toString(
    'latin1',
  )
}

const udp = async (infoHash: Buffer): Promise<string> => {
  const peer = await UdpPeer.open(tracker.port)
  const id = await peer.connect()
  peer.send(UdpPeer.announce(id, infoHash, 'u'.repeat(20), { port: 7002 }))
  const answer = await peer.next(5000)
  peer.close()
  return answer?.readUInt32BE(0) === 1 ? 'welcome' : (answer?.toString('latin1', 8) ?? 'no answer')
}

const said = async (socket: RawSocket, infoHash: Buffer): Promise<string> => {
  const info_hash = infoHash.toString('latin1')
  socket.send({ action: 'announce', info_hash, peer_id: 'w'.repeat(20), left: 1, event: 'started', offers: [] })
  const answer = await until(() => socket.take(), { within: 5000, what: 'an answer' })
  return typeof answer['failure reason'] === 'string' ? answer['failure reason'] : 'welcome'
}

/** What is logged of it. */
const reload = async (end: string): Promise<string> => {
  const before = tracker.lines.length
  process.kill(tracker.pid, 'SIGHUP')
  const log = (): string => tracker.lines.slice(before).join('\n')
  return await until(() => (log().includes(end) ? log() : undefined), { within: 5000, what: end })
}

test('listed torrents are served over all transports, and no others; lists and limits are read again on SIGHUP', async () => {
  const socket = await RawSocket.open(tracker.webSocketUrl)
  expect(await http('/announce', listed)).toContain('5:peers')
  expect(await udp(listed)).toBe('welcome')
  expect(await said(socket, listed)).toBe('welcome')
  for (const [infoHash, reason] of [
    [unlisted, 'does not serve this torrent'],
    [denied, 'is denied'],
  ] as const) {
    expect(await http('/announce', infoHash)).toContain(reason)
    expect(await udp(infoHash)).toContain(reason)
    expect(await http('/scrape', infoHash)).toContain('8:completei0e10:downloadedi0e11:downloadersi0e10:incompletei0e')
  }
  expect(await http('/scrape', listed)).toContain('10:incompletei3e')
  // One connection may be in one torrent, until the limit rises.
  expect(await said(socket, unlisted)).toContain('in 1 torrents at most')

  await writeFile(file('allow'), `${hex(unlisted)}\n${hex(denied)}\n`)
  await writeFile(file('deny'), '')
  await writeFile(file('tracker.toml'), settings({ swarmsPerMember: 3, swarmsPerSocket: 3, peers: 77 }))
  const log = await reload('hold after a restart only')
  expect(log).toContain('"applied":["limits.swarmsPerSocket","limits.swarmsPerMember"]')
  expect(log).toContain('"pending":["limits.peers"]')
  expect(await said(socket, listed)).toContain('does not serve')
  expect(await said(socket, unlisted)).toBe('welcome')
  expect(await said(socket, denied)).toBe('welcome')
  expect(await http('/scrape', listed)).toContain('10:incompletei0e')

  await writeFile(file('allow'), `${hex(listed)}\nnonsense\n`)
  await writeFile(file('tracker.toml'), settings({ swarmsPerMember: 1, swarmsPerSocket: 1 }))
  expect(await reload('nothing was changed')).toContain('line 2 is no infohash')
  expect(await http('/announce', unlisted)).toContain('5:peers')
  expect(await http('/announce', listed)).toContain('does not serve')
  await socket.close()
})

test.each([1, 2])(
  'a list that is wrong at the start ends it with code 78 and says which line: %i workers',
  async (n) => {
    await writeFile(file('wrong'), `${hex(listed)}\n\nmore\n`)
    const wrong = new Tracker({ 'access.deny': file('wrong'), 'cluster.workers': n })
    const ended = await until(() => wrong.ended, { within: 20_000, what: 'it ends' })
    expect(ended).toBe(78)
    const lines = wrong.output().trim().split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/access\.deny names .*wrong, which cannot be used: line 3 is no infohash/),
    ])
  },
)

test('a proxy that nobody trusts is no member: who is behind it is slowed, and the log says so once', async () => {
  const behind = new Tracker({ 'limits.requestsPerAddress': 1 })
  onTestFinished(async () => void (await behind.stop()))
  await behind.start()
  const url = `http://127.0.0.1:${behind.port}/announce?info_hash=${'%01'.repeat(20)}&peer_id=-XX0001-000000000001&port=7001`
  const served = async (headers: Record<string, string>): Promise<number> => {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(url, { headers })).status))
    return answers.filter((status) => status === 200).length
  }
  expect(await served({})).toBe(50)
  expect(await served({ 'x-forwarded-for': '203.0.113.1' })).toBeLessThan(40)
  expect(await served({})).toBeLessThan(40)
  expect(behind.output().match(/a proxy that trustProxy does not name/g)).toHaveLength(1)
})

test('limits hold for each address and each /64 that a trusted proxy names; who sends garbage is banned', async () => {
  const path = file('limits.toml')
  const write = async (requestsPerAddress: number): Promise<void> =>
    await writeFile(path, `[limits]\nrequestsPerAddress = ${requestsPerAddress}\n`)
  await write(1)
  const limited = new Tracker({ config: path, members: '203.0.113.1', trustProxy: '127.0.0.1' })
  onTestFinished(async () => void (await limited.stop()))
  await limited.start()
  const good = `/announce?info_hash=${'%01'.repeat(20)}&peer_id=-XX0001-000000000001&port=7001`
  const status = async (from: string, target = good): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${limited.port}${target}`, { headers: { 'x-forwarded-for': from } })
    await answer.arrayBuffer()
    return answer.status
  }
  const served = async (count: number, from: (n: number) => string): Promise<number> => {
    const all = await Promise.all(Array.from({ length: count }, (_, n) => status(from(n))))
    return all.filter((one) => one === 200).length
  }
  // Ten at once, and one more for each second that this takes.
  for (const [from, other] of [
    [() => '192.0.2.1', '192.0.2.2'],
    [(n: number) => `2001:db8::${n}`, '2001:db8:0:1::'],
    // What the client writes itself makes nobody else of it.
    [(n: number) => `198.51.100.${n}, 192.0.2.3`, '192.0.2.4'],
  ] as const) {
    const count = await served(50, from)
    expect(count).toBeGreaterThanOrEqual(10)
    expect(count).toBeLessThan(40)
    expect(await status(other)).toBe(200)
  }
  expect(await served(50, () => '203.0.113.1')).toBe(50)
  const peer = await UdpPeer.open(limited.port)
  const id = await peer.connect()
  for (let n = 0; n < 50; n++) peer.send(UdpPeer.announce(id, listed, 'u'.repeat(20), { port: 7002 }))
  // What is asked last is answered last, and a connect always is.
  peer.send(Buffer.concat([Buffer.from('0000041727101980', 'hex'), Buffer.from('00000000cafe0000', 'hex')]))
  let answers = 0
  while ((await peer.next(5000))?.readUInt32BE(0) === 1) answers++
  peer.close()
  expect(answers).toBeGreaterThanOrEqual(1)
  expect(answers).toBeLessThan(40)

  await write(0)
  process.kill(limited.pid, 'SIGHUP')
  await until(() => limited.output().includes('"applied":["limits.requestsPerAddress"]'), {
    within: 5000,
    what: 'it is read',
  })
  expect(await served(50, () => '192.0.2.1')).toBe(50)
  await Promise.all(Array.from({ length: 200 }, (_, n) => status(`2001:db8:9::${n}`, '/announce?info_hash=x')))
  expect(await Promise.all([status('2001:db8:9::ffff'), status('2001:db8:9:1::')])).toEqual([429, 200])
  const headers = { 'x-forwarded-for': '2001:db8:9::5' }
  const socket = new WebSocket(limited.webSocketUrl, { headers })
  const [, refusal] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  expect(refusal.statusCode).toBe(429)
  socket.on('error', () => undefined)
  socket.terminate()
})
