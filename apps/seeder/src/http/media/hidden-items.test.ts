import { randomBytes } from 'node:crypto'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { MediaView } from './media-view.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const patience = { timeout: 30_000, interval: 50 }
const mebibyte = 2 ** 20
let owner: TestNode
let member: TestNode
let ids: { owner: string; member: string; network: string }

beforeAll(async () => {
  owner = await startTestNode()
  const { id, network } = await json<{ id: string; network: { id: string; owner: string } }>(owner, '/v1/node')
  const peers = [`${owner.url.replace('http', 'ws')}/gun`]
  member = await startTestNode({ network: { owner: network.owner, peers } })
  ids = { owner: id, member: (await json<{ id: string }>(member, '/v1/node')).id, network: network.id }
  const headers = { 'content-type': 'application/json' }
  await owner.ask('/v1/members', { method: 'POST', headers, body: JSON.stringify({ member: ids.member }) })
  await vi.waitUntil(async () => (await member.ask('/ready')).ok, patience)
})

afterAll(async () => {
  await Promise.all([owner.stop(), member.stop()])
})

const json = async <T>(node: TestNode, path: string, init?: RequestInit) =>
  (await (await node.ask(path, init)).json()) as T
const upload = (name: string, more = '') =>
  json<MediaView>(owner, `/v1/media?name=${name}&replicas=2${more}`, { method: 'PUT', body: randomBytes(mebibyte) })
const held = (id: string) => vi.waitUntil(async () => (await member.ask(`/v1/media/${id}`)).ok, patience)

/** A stock client that watches one node and asks for all it could ask for. */
async function watch(node: TestNode) {
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}/gun`)
  onTestFinished(() => socket.terminate())
  const heard: string[] = []
  socket.on('message', (data: Buffer) => heard.push(data.toString()))
  await new Promise((resolve) => socket.once('open', resolve))
  const name = randomBytes(4).toString('hex')
  socket.send(`{"#":"hi${name}","dam":"?","pid":"stock${name}"}`)
  let asked = 0
  const ask = (soul: string) => socket.send(JSON.stringify({ '#': `get${name}${asked++}`, get: { '#': soul } }))
  return { heard, ask }
}

test('unlisted and private items, their copies and grants are known to members, and to no stock client', async () => {
  const watchers = [await watch(owner), await watch(member)]
  const recipient = await identityToRecipient(await generateX25519Identity())
  const shown = await upload('shown')
  const unlisted = await upload('secret-name', '&access=unlisted')
  const secret = await upload('private-name', `&access=private&readers=${recipient}`)
  for (const { id } of [shown, unlisted, secret]) await held(id)
  const grant = `/v1/media/${secret.id}/grant?reader=${recipient}`
  await vi.waitUntil(async () => (await member.ask(grant)).ok, patience)
  const { reader } = await json<{ reader: string }>(member, grant)

  for (const { ask } of watchers) {
    for (const pub of [ids.owner, ids.member]) {
      for (const branch of ['m', 'x/m', 'h', 'x/h', 'g', 'x/g']) {
        for (const { id } of [unlisted, secret]) ask(`en1/${ids.network}/${branch}/${pub}/${id.slice(0, 2)}`)
      }
    }
    ask(`en1/${ids.network}/m/${ids.owner}/${shown.id.slice(0, 2)}`)
  }
  // What is public of them reaches both, and copies are told of within a second.
  for (const { heard } of watchers) {
    await vi.waitUntil(() => heard.join('').includes(`/h/${ids.member}/${shown.id.slice(0, 2)}`), patience)
    await vi.waitUntil(() => heard.join('').includes(`/m/${ids.owner}/${shown.id.slice(0, 2)}`), patience)
    const traces = [unlisted.id, secret.id, secret.name, 'secret-name', 'private-name', reader, '/x/']
    expect(heard.filter((text) => traces.some((trace) => text.includes(trace)))).toEqual([])
  }
})

test('strangers are told the count of public items, and their owner of all', async () => {
  const counted = async (url: string, init?: RequestInit) =>
    ((await (await fetch(`${url}/v1/node`, init)).json()) as { counts: { items: number } }).counts.items
  for (const node of [owner, member]) {
    const headers = { authorization: `Bearer ${node.token}` }
    expect([await counted(node.url), await counted(node.url, { headers })]).toEqual([1, 3])
  }
  const { peers } = (await (await fetch(`${owner.url}/v1/peers`)).json()) as { peers: { counts: { items: number } }[] }
  for (const { counts } of peers) expect(counts.items).toBeLessThanOrEqual(1)
})

test('no figure for strangers tells the size of an item', async () => {
  const { token, url } = owner
  const health = async (init?: RequestInit) =>
    (await (await fetch(`${url}/health`, init)).json()) as { mediaFiles: number; mediaBytes: number }
  const exact = await health({ headers: { authorization: `Bearer ${token}` } })
  expect(exact).toMatchObject({ mediaFiles: 3 })
  expect(exact.mediaBytes).toBeGreaterThan(3 * mebibyte)
  expect(exact.mediaBytes % mebibyte).toBeGreaterThan(0)
  expect(await health()).toMatchObject({ mediaFiles: 1, mediaBytes: 16 * mebibyte })
  const { capacity } = (await (await fetch(`${url}/v1/node`)).json()) as { capacity: { used: number; free: number } }
  expect([capacity.used % (16 * mebibyte), capacity.free % (16 * mebibyte)]).toEqual([0, 0])
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const figures = [
    ...metrics.matchAll(/^eldernode_(?!swarm_(?:limit|uploaded|downloaded)|replication_fetched)\S* (\d+)$/gm),
  ].map(([, figure]) => Number(figure))
  expect(figures.length).toBeGreaterThan(20)
  // What is large is a rounded size, or nothing of items.
  expect(figures.filter((figure) => figure > 100_000 && figure % (16 * mebibyte) !== 0)).toEqual([])
  expect(metrics).toMatch(/^eldernode_items 1$/m)
})
