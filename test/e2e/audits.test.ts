import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { packTags, ProofIndex, signRequest, tagOf, WebIdentity, type Proof } from '@eldernode/core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { heartbeatOf } from '../harness/graph-values.ts'
import { Member, metric, Network, seededBytes, sha256OfFile, until, type Media } from '../harness/index.ts'
import { blobOf, rot } from '../harness/rot.ts'

/** One piece. */
const size = 16_000
const everywhere = 3
let network: Network
/** A member with the role auditor that says what it likes, and claims to be a holder. */
let member: Member
let server: Server
/** What the member answers when it is asked for a piece. */
const answers = new Map<string, () => Promise<Uint8Array | number>>()

beforeAll(async () => {
  network = await Network.start({ seeders: 3, tracker: false })
  member = await Member.join(network)
  server = createServer((request, response) => {
    const [, , , , infoHash = '', piece] = (request.url ?? '').split('/')
    const answer = piece === undefined ? undefined : answers.get(infoHash)
    void (answer?.() ?? Promise.resolve(204)).then((given) =>
      typeof given === 'number' ? response.writeHead(given).end() : response.end(given),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterAll(async () => {
  await member.close()
  server.closeAllConnections()
  server.close()
  await network.close()
})

beforeEach(() => network.reportFailure())

/** Publishes an item and waits until every node has it, so that each knows itself what its pieces are. */
async function replicated(name: string, seed: number): Promise<{ media: Media; bytes: Uint8Array }> {
  const bytes = seededBytes(seed, size)
  const media = await network.first.publish(name, bytes, everywhere)
  await until(async () => (await Promise.all(network.seeders.map((node) => node.holds(media.id)))).every(Boolean), {
    within: 30_000,
    what: 'every node holds it',
  })
  return { media, bytes }
}

/** What the nodes' audits say of a claim, to whoever believes them all. */
function proofOf(holder: string, infoHash: string): Proof {
  const index = new ProofIndex()
  index.trust([...network.seeders.map(({ id }) => id), member.id])
  for (const result of member.graph.entries('a')) index.set(result)
  return index.proofOf(holder, infoHash, Date.now())
}

const proven = (holder: string, infoHash: string) =>
  until(() => proofOf(holder, infoHash) === 'proven', { within: 30_000, what: 'the holding is proven' })

async function claim(infoHash: string): Promise<void> {
  const before = member.graph.get('h', member.id, infoHash.slice(0, 2))?.body.held ?? []
  const held = [...before, infoHash].toSorted()
  await member.graph.publish('h', infoHash.slice(0, 2), { held, releasing: [], refused: [] })
}

async function appear(http: string): Promise<void> {
  // It has no room, so that no copy is expected of it.
  const beat = { ...heartbeatOf(undefined), endpoints: { http }, capacity: { bytes: 0, used: 0, free: 0 } }
  await member.graph.publish('hb', 'hb', beat)
}

test('each copy is proven as soon as it is there, and the round trip to each holder is known', async () => {
  const { media } = await replicated('new.bin', 1)
  for (const { id } of network.seeders) await proven(id, media.id)
  expect(await metric(network.first, 'audits_total', 'failed')).toBe(0)
  expect(await metric(network.first, 'audits_failed_here')).toBe(0)
})

test('a node that reads an item through for its readers has it for no auditor', async () => {
  const media = await network.first.publish('elsewhere.bin', seededBytes(7, size), 1)
  const auditor = await WebIdentity.generate()
  await network.admit(auditor.id)
  const without = (
    await Promise.all(network.seeders.map(async (node) => ((await node.holds(media.id)) ? [] : [node])))
  ).flat()
  const [node] = without
  const url = `${node?.url}/v1/audits/${node?.id}/${media.id}/0`
  const ask = async () =>
    (await fetch(url, { headers: await signRequest({ method: 'GET', url }, auditor, Date.now()) })).status
  // Its certificate has to come there first.
  await until(async () => (await ask()) === 404, { within: 20_000, what: 'the node says that it has it not' })
  expect(await node?.content(media.id)).toEqual({ status: 200, sha256: media.sha256 })
  expect(await ask()).toBe(404)
})

test('of those who only claim, fetch on demand or have a neighbour answer none is proven; who has it is', async () => {
  const [honest, empty, onDemand] = await Promise.all([2, 3, 4].map((seed) => replicated(`${seed}.bin`, seed)))
  const [one, none, late] = [honest!, empty!, onDemand!].map(({ media }) => media.id) as [string, string, string]
  answers.set(one, () => Promise.resolve(honest!.bytes))
  answers.set(none, () => Promise.resolve(404))
  answers.set(late, async () => {
    const got = await fetch(`${network.at(1).url}/v1/media/${late}/content`)
    // As far away as it takes to be told from a disk.
    await wait(2300)
    return new Uint8Array(await got.arrayBuffer())
  })
  await appear(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  for (const infoHash of [one, none, late]) await claim(infoHash)
  await proven(member.id, one)
  await until(() => proofOf(member.id, none) === 'failed', { within: 30_000, what: 'the empty claim fails' })
  await until(async () => (await lateAudits()) > 0, { within: 30_000, what: 'the slow one is late' })
  expect(proofOf(member.id, late)).toBe('unknown')

  // Its address leads to a node that has everything, and answers for itself alone.
  await appear(network.at(1).url)
  const { media } = await replicated('neighbour.bin', 5)
  await claim(media.id)
  await until(() => proofOf(member.id, media.id) === 'failed', { within: 30_000, what: 'the neighbour answers 421' })
})

test('a node that fails is told: it says so everywhere, finds the rotten piece, mends it, and is proven again', async () => {
  const { media } = await replicated('rotten.bin', 6)
  const node = network.at(2)
  await node.stop()
  await rot(node, media, 100)
  await node.start()
  await node.ready()
  const tag = tagOf(media.id)
  const key = `${node.id}.${media.id.slice(0, 2)}`
  const events = await fetch(`${node.url}/v1/events?types=audit.failed`, {
    headers: { authorization: `Bearer ${node.token}`, 'last-event-id': '0' },
  })
  await member.graph.publish('a', key, { passedAt: 0, proven: '', failed: [{ tag, piece: 0, since: Date.now() }] })
  const alarm = await until(
    async () => {
      const { alarms } = (await (await node.admin('GET', '/v1/replication')).json()) as { alarms: { code: string }[] }
      return alarms.find(({ code }) => code === 'audit_failed')
    },
    { within: 30_000, what: 'there is an alarm' },
  )
  expect(alarm).toMatchObject({ infoHash: media.id, node: node.id })
  expect(await metric(node, 'alarms', 'code="audit_failed"')).toBe(1)
  expect(await until(() => told(events, media.id), { within: 10_000, what: 'the event is told' })).toBe(true)
  await until(async () => (await sha256OfFile(blobOf(node, media))) === media.sha256, {
    within: 30_000,
    what: 'the piece is mended',
  })
  expect(node.logged({ infoHash: media.id, piece: 0, auditor: member.id })).toBe(true)

  await member.graph.publish('a', key, { passedAt: Date.now(), proven: packTags([tag]), failed: [] })
  await until(async () => (await metric(node, 'audits_failed_here')) === 0, {
    within: 30_000,
    what: 'the alarm is over',
  })
})

async function lateAudits(): Promise<number> {
  const counts = await Promise.all(network.seeders.map((node) => metric(node, 'audits_total', 'late')))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function told(events: Response, infoHash: string): Promise<boolean> {
  let text = ''
  for await (const chunk of events.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString()
    if (text.includes('audit.failed') && text.includes(infoHash)) return true
  }
  return false
}
