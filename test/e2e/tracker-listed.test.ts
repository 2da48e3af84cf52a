import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFailed, onTestFinished, test } from 'vitest'
import { Network, seededBytes, Tracker, until, type Media } from '../harness/index.ts'
import { RawSocket, UdpPeer } from '../harness/announces.ts'

const unknown = 'ee'.repeat(20)
const within = 30_000

/** What a leecher is told over HTTP: nothing when it is served, else why not. */
async function refusal(tracker: Tracker, infoHash: string): Promise<string> {
  const id = infoHash.replace(/../g, '%$&')
  const url = `http://127.0.0.1:${tracker.port}/announce?info_hash=${id}&peer_id=-XX0001-123456789012&port=6881&left=1`
  const text = await (await fetch(url)).text()
  return /14:failure reason\d+:([^]*)e$/.exec(text)?.[1] ?? ''
}

test('a tracker that lists what its network publishes, from what members say to it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-listed-'))
  const network = await Network.start({
    seeders: 2,
    tracker: false,
    settings: { 'replicas.min': 1, 'replicas.target': 1 },
  })
  const trackers: Tracker[] = []
  onTestFinished(async () => {
    await Promise.all(trackers.map((tracker) => tracker.stop()))
    await network.close()
    await rm(folder, { recursive: true, force: true })
  })
  onTestFailed(() => console.error([network.output(), ...trackers.map((tracker) => tracker.output())].join('\n')))
  const [relay, other] = [network.at(0), network.at(1)]
  const open = async (settings: Record<string, number> = {}): Promise<Tracker> => {
    const tracker = new Tracker({
      'access.mode': 'listed',
      'network.owner': await owner,
      'network.peers': relay.gun,
      'network.folder': folder,
      'network.allowPrivate': 'true',
      'admin.tokenFile': join(folder, 'admin.token'),
      ...settings,
    })
    trackers.push(tracker)
    await tracker.start()
    return tracker
  }
  const owner = network.owner()
  await owner
  // Workers hear what changes from their first process.
  let tracker = await open({ 'cluster.workers': 2 })
  const isServed = async (item: Media): Promise<boolean> => (await refusal(tracker, item.id)) === ''
  const served = (item: Media, what: string) => until(() => isServed(item), { within, what: `${what} is served` })
  const refused = (item: Media, what: string) =>
    until(async () => !(await isServed(item)), { within, what: `${what} is refused` })
  let published = 0
  const publish = async (name: string, query = '', seeder = relay): Promise<Media> => {
    const response = await seeder.admin('PUT', `/v1/media?name=${name}${query}`, seededBytes(++published, 5000))
    expect(response.status).toBe(201)
    return (await response.json()) as Media
  }

  // Not yet a member: it says that it cannot know.
  expect(await refusal(tracker, unknown)).toMatch(/does not know yet/)
  const hidden = await publish('hidden', '&access=unlisted')
  const id = await until(() => tracker.nodeId(), { within, what: 'the tracker says its id' })
  const admission = await relay.admin('POST', '/v1/members', JSON.stringify({ member: id, roles: ['tracker'] }))
  expect(admission.status).toBe(201)
  await served(hidden, 'what was published before for members alone')
  await until(async () => /does not serve/.test(await refusal(tracker, unknown)), { within, what: 'it knows all' })

  const item = await publish('shown')
  await served(item, 'what is published')
  const secret = await publish('secret', '&access=private')
  await served(secret, 'what is private')

  const figures = await (await fetch(`http://127.0.0.1:${tracker.port}/metrics`)).text()
  expect(figures).toMatch(/^eldernode_tracker_network_member 1$/m)
  expect(figures).toMatch(/^eldernode_tracker_network_ready 1$/m)
  expect(figures).toMatch(/^eldernode_tracker_network_torrents 3$/m)
  const token = (await readFile(join(folder, 'admin.token'), 'utf8')).trim()
  const headers = { authorization: `Bearer ${token}` }
  const stats: unknown = await (await fetch(`http://127.0.0.1:${tracker.port}/stats`, { headers })).json()
  // It may have found the other node by now.
  const links: unknown = expect.toBeOneOf([1, 2])
  expect(stats).toMatchObject({ network: { links, member: true, ready: true, live: 3, denied: 0 } })

  // The same over the other transports.
  const udp = await UdpPeer.open(tracker.port)
  const connection = await udp.connect()
  udp.send(UdpPeer.announce(connection, Buffer.from(item.id, 'hex'), '-XX0001-123456789012', { port: 6882 }))
  expect((await udp.next(5000))?.readUInt32BE(0)).toBe(1)
  udp.send(UdpPeer.announce(connection, Buffer.from(unknown, 'hex'), '-XX0001-123456789012', { port: 6882 }))
  expect((await udp.next(5000))?.toString('latin1', 8)).toMatch(/does not serve/)
  udp.close()
  const socket = await RawSocket.open(tracker.webSocketUrl)
  const announce = { action: 'announce', peer_id: '-XX0001-123456789012', numwant: 0, left: 1 }
  socket.send({ ...announce, info_hash: Buffer.from(unknown, 'hex').toString('latin1') })
  const answer = await until(() => socket.take(), { within, what: 'the tracker answers over WebSocket' })
  expect(answer['failure reason']).toMatch(/does not serve/)
  await socket.close()

  await relay.retract(item.id)
  await refused(item, 'what was retracted')
  expect((await relay.admin('POST', '/v1/denials', JSON.stringify({ infoHash: secret.id }))).status).toBe(201)
  await refused(secret, 'what was denied')
  expect((await relay.admin('DELETE', `/v1/denials/${secret.id}`)).status).toBe(200)
  await served(secret, 'what is allowed again')

  // The node that it was told of dies: what the others publish is heard from them.
  await relay.kill()
  const later = await publish('later', '', other)
  await served(later, 'what is published after the relay died')

  // Nobody whom it knows by heart lives, so that it has its last list and no more.
  expect(await tracker.stop()).toBe(0)
  tracker = await open()
  for (const kept of [hidden, secret, later]) expect(await refusal(tracker, kept.id)).toBe('')
  expect(await refusal(tracker, item.id)).toMatch(/does not know yet/)
  expect(await refusal(tracker, unknown)).toMatch(/does not know yet/)
})
