import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RawSocket, UdpPeer } from '../harness/announces.ts'
import { Tracker, until } from '../harness/index.ts'

const infoHash = Buffer.alloc(20, 5)

let folder = ''
let tracker: Tracker
let token = ''
const start = async (workers: number): Promise<void> => {
  tracker = new Tracker({
    'access.mode': 'private',
    'ledger.file': join(folder, 'ledger.db'),
    'admin.tokenFile': join(folder, 'token'),
    snapshot: join(folder, 'peers'),
    'limits.peersPerKey': 3,
    'cluster.workers': workers,
  })
  await tracker.start()
  token = (await readFile(join(folder, 'token'), 'utf8')).trim()
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-private-'))
  // A key that one of them made must be right at the other at once.
  await start(2)
})
afterAll(async () => {
  await tracker.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Key {
  id: number
  passkey: string
  uploaded: number
  downloaded: number
}

const admin = async (method: string, path: string, body?: object): Promise<{ status: number; body: Key }> => {
  const response = await fetch(`http://127.0.0.1:${tracker.port}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Key }
}

const http = async (path: string, port: number, uploaded = 0, downloaded = 0): Promise<string> => {
  const query =
    `info_hash=${infoHash.toString('hex').replace(/../g, '%$&')}&peer_id=-XX0001-000000000001` +
    `&port=${port}&left=1&uploaded=${uploaded}&downloaded=${downloaded}`
  const answer = await fetch(`http://127.0.0.1:${tracker.port}${path}?${query}`)
  return Buffer.from(await answer.arrayBuffer()).toString('latin1')
}

/** @param path sent as URL data (BEP 41) */
const udp = async (path: string, port: number, uploaded = 0): Promise<string> => {
  const peer = await UdpPeer.open(tracker.port)
  const packet = UdpPeer.announce(await peer.connect(), infoHash, 'u'.repeat(20), { port })
  packet.writeBigUInt64BE(BigInt(uploaded), 72)
  // In two pieces, as long URLs are sent, and with an option of no meaning before them.
  const pieces = [path.slice(0, 20), path.slice(20)].flatMap((text) => [2, text.length, ...Buffer.from(text)])
  peer.send(Buffer.concat([packet, Buffer.from([1, ...pieces, 0])]))
  const answer = await peer.next(5000)
  peer.close()
  return answer?.readUInt32BE(0) === 1 ? 'welcome' : (answer?.toString('latin1', 8) ?? 'no answer')
}

const udpScrape = async (): Promise<string> => {
  const peer = await UdpPeer.open(tracker.port)
  peer.send(Buffer.concat([await peer.connect(), Buffer.from('00000002cafe0000', 'hex'), infoHash]))
  const answer = await peer.next(5000)
  peer.close()
  return answer?.toString('latin1', 8) ?? 'no answer'
}

const peersOf = async (key: Key): Promise<number> =>
  Number(/10:incompletei(\d+)e/.exec(await http(`/${key.passkey}/scrape`, 1))?.[1])

test('who has a passkey is served over all transports; it is credited, and gone when the key is revoked', async () => {
  const [one, two] = [
    (await admin('POST', 'keys', { label: 'one' })).body,
    (await admin('POST', 'keys', { label: 'two' })).body,
  ]
  expect(one.passkey).toMatch(/^[\w-]{32}$/)
  const wrong = 'x'.repeat(32)
  for (const path of ['/announce', '/scrape', `/${wrong}/announce`, `/${wrong}/scrape`])
    expect(await http(path, 7000)).toContain('passkey')
  for (const path of ['', '/announce', `/${wrong}/announce`]) expect(await udp(path, 7000)).toContain('passkey')
  expect(await udp('', 7000)).toContain('sent none')
  expect(await udpScrape()).toContain('passkey')
  const url = (key: string): string => new URL(`/${key}/announce`, tracker.webSocketUrl).href
  await expect(RawSocket.open(url(wrong))).rejects.toThrow(/403/)

  const socket = await RawSocket.open(url(one.passkey))
  const say = (uploaded: number): void =>
    socket.send({
      action: 'announce',
      info_hash: infoHash.toString('latin1'),
      peer_id: 'w'.repeat(20),
      left: 1,
      uploaded,
      downloaded: 0,
      offers: [],
    })
  say(0)
  await until(() => socket.take(), { within: 5000, what: 'an answer' })
  expect(await http(`/${one.passkey}/announce`, 7001)).toContain('5:peers')
  expect(await udp(`/${one.passkey}/announce?x=1`, 7002)).toBe('welcome')
  expect(await http(`/${one.passkey}/announce`, 7003)).toContain('as many peers as it may')
  expect(await http(`/${two.passkey}/announce/3`, 7004)).toContain('5:peers')
  expect(await peersOf(two)).toBe(4)

  say(5)
  await until(() => socket.take(), { within: 5000, what: 'an answer' })
  await http(`/${one.passkey}/announce`, 7001, 1000, 50)
  await udp(`/${one.passkey}/announce`, 7002, 300)
  // Peers and their last words outlive a restart; what was counted is in the ledger by then.
  expect(await tracker.stop()).toBe(0)
  await start(1)
  expect(await admin('GET', `keys/${one.id}`)).toMatchObject({ status: 200, body: { uploaded: 1305, downloaded: 50 } })
  expect(await peersOf(two)).toBe(3)
  await http(`/${one.passkey}/announce`, 7001, 1200, 50)
  await udp(`/${one.passkey}/announce`, 7002, 100)

  expect(await admin('DELETE', `keys/${one.id}`)).toMatchObject({ status: 204 })
  expect(await peersOf(two)).toBe(1)
  expect(await http(`/${one.passkey}/announce`, 7001)).toContain('passkey')
  expect(await tracker.stop()).toBe(0)
  await start(1)
  expect(await admin('GET', `keys/${one.id}`)).toMatchObject({ body: { uploaded: 1505, downloaded: 50 } })
  expect(await peersOf(two)).toBe(1)
})
