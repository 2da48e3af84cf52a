import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { networkIdOf, seal } from '@eldernode/core'
import type { Identity } from '@eldernode/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { GraphNetwork } from '../harness/graph-network.ts'
import type { GraphNode } from '../harness/graph-network.ts'
import { heartbeatOf, identityOfSeed, manifestOf } from '../harness/graph-values.ts'
import { until } from '../harness/until.ts'

let network: GraphNetwork
let target: GraphNode
let member: GraphNode
let id: string
const open: WebSocket[] = []
const stranger = identityOfSeed('55'.repeat(32))

beforeAll(async () => {
  network = await GraphNetwork.start({ allowPrivate: false })
  target = network.owner
  member = await network.join({ allowPrivate: false })
  await GraphNetwork.inStep(member)
  id = networkIdOf(network.ownerId)
  await member.ask({ do: 'publish', from: 0, count: 1, salt: 'good', parallel: 1 })
  await until(async () => (await target.state()).manifests === 1, { within: 10_000, what: 'the good manifest' })
})

afterEach(() => {
  for (const ws of open.splice(0)) ws.terminate()
})

afterAll(async () => {
  await network.stop()
})

async function connect(): Promise<WebSocket> {
  const ws = new WebSocket(target.url)
  open.push(ws)
  ws.on('error', () => undefined)
  await once(ws, 'open')
  return ws
}

async function refused(): Promise<Record<string, number>> {
  return (await target.state()).stats.refused
}

/** Sends raw text over a link of its own and waits until the target has counted the refusal. */
async function provoke(reason: string, ...texts: string[]): Promise<'refused'> {
  const before = await target.state()
  const goal = (before.stats.refused[reason] ?? 0) + texts.length
  const ws = await connect()
  for (const text of texts) ws.send(text)
  const counted = async (): Promise<boolean> => ((await refused())[reason] ?? 0) >= goal
  await until(counted, { within: 10_000, what: `${texts.length} refused as ${reason}` })
  const { manifests, faults } = await target.state()
  expect({ manifests, faults }).toEqual({ manifests: before.manifests, faults: [] })
  return 'refused'
}

let counter = 0
const message = (fields: object): string => JSON.stringify({ '#': `attack${++counter}`, ...fields })
const put = (soul: string, key: string, value: unknown, state: unknown): string =>
  message({ put: { [soul]: { _: { '#': soul, '>': { [key]: state } }, [key]: value } } })
const manifest = manifestOf('attack', 1)
const soulOf = (pub: string, infoHash = manifest.infoHash): string => `en1/${id}/m/${pub}/${infoHash.slice(0, 2)}`

async function sealed(by: Identity, ts: number, body: object = manifest, of = id): Promise<string> {
  return await seal({ kind: 'm', network: of, ts, body }, by)
}

describe('by a raw WebSocket, refused and counted', () => {
  test('forged: a stranger signs in the place of a member', async () => {
    const ts = Date.now()
    expect(await provoke('signer', put(soulOf(member.id), manifest.infoHash, await sealed(stranger, ts), ts))).toBe(
      'refused',
    )
    expect(await provoke('stranger', put(soulOf(stranger.id), manifest.infoHash, await sealed(stranger, ts), ts))).toBe(
      'refused',
    )
  })

  test('foreign: a member signs for another network', async () => {
    const ts = Date.now()
    const value = await sealed(member.identity, ts, manifest, networkIdOf(stranger.id))
    expect(await provoke('wrong_network', put(soulOf(member.id), manifest.infoHash, value, ts))).toBe('refused')
    expect(await target.ask({ do: 'has', pub: member.id, infoHash: manifest.infoHash })).toBe(false)
  })

  test('tampered: one letter of a signed value', async () => {
    const ts = Date.now()
    const value = (await sealed(member.identity, ts)).replace('Holiday', 'Holidaz')
    expect(await provoke('bad_signature', put(soulOf(member.id), manifest.infoHash, value, ts))).toBe('refused')
  })

  test('replayed: an older value, or one whose state was raised', async () => {
    const good = manifestOf('good', 0)
    const ts = Date.now() - 60_000
    const old = await sealed(member.identity, ts, good)
    expect(await provoke('stale', put(soulOf(member.id, good.infoHash), good.infoHash, old, ts))).toBe('refused')
    expect(await provoke('state', put(soulOf(member.id, good.infoHash), good.infoHash, old, Date.now()))).toBe(
      'refused',
    )
  })

  test('of a clock that runs ahead', async () => {
    const ts = Date.now() + 6 * 60_000
    expect(
      await provoke('future', put(soulOf(member.id), manifest.infoHash, await sealed(member.identity, ts), ts)),
    ).toBe('refused')
  })

  test('null, numbers, links and states of the wrong type', async () => {
    const soul = soulOf(member.id)
    const values = [null, 5, true, { '#': soul }, [], {}]
    expect(await provoke('value', ...values.map((value) => put(soul, manifest.infoHash, value, Date.now())))).toBe(
      'refused',
    )
    const states = [null, 'x', -1, 1e300, {}]
    expect(await provoke('state', ...states.map((state) => put(soul, manifest.infoHash, 'x', state)))).toBe('refused')
  })

  test('oversized: a value, a message, a frame', async () => {
    const ts = Date.now()
    expect(await provoke('size', put(soulOf(member.id), manifest.infoHash, 'x'.repeat(8193), ts))).toBe('refused')
    expect(await provoke('text', put(soulOf(member.id), manifest.infoHash, 'x'.repeat(2 << 20), ts))).toBe('refused')
    expect(await provoke('text', 'x'.repeat(5 << 20))).toBe('refused')
  })

  test('named like properties of every object', async () => {
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty']
    const raw = (template: string, name: string): string => template.replaceAll('NAME', name)
    const soul = soulOf(member.id)
    const asSoul = '{"#":"a","put":{"NAME":{"_":{"#":"NAME",">":{"a":1}},"a":"x"}}}'
    const asKey = `{"#":"a","put":{"${soul}":{"_":{"#":"${soul}",">":{"NAME":1}},"NAME":"x"}}}`
    expect(await provoke('soul', ...names.map((name) => raw(asSoul, name)))).toBe('refused')
    expect(await provoke('key', ...names.map((name) => raw(asKey, name)))).toBe('refused')
    expect(await provoke('id', ...names.map((name) => raw('{"#":"NAME","get":{"#":"x"}}', name)))).toBe('refused')
    expect(await provoke('get_soul', ...names.map((name) => raw('{"#":"a","get":{"#":"NAME"}}', name)))).toBe('refused')
    expect(
      await provoke('get_key', ...names.map((name) => raw(`{"#":"a","get":{"#":"${soul}",".":"NAME"}}`, name))),
    ).toBe('refused')
    expect(await provoke('frame', ...names.map((name) => raw('{"en":"NAME"}', name)))).toBe('refused')
  })

  test('dam of every kind but the greeting', async () => {
    const names = ['mob', 'constructor', '__proto__', 'toString', 'rtc', 'opt', 'say', 'hear', 'service', 'stat']
    expect(
      await provoke('dam', ...names.map((dam) => message({ dam, peers: { 'http://127.0.0.1:1/gun': 1 }, opt: {} }))),
    ).toBe('refused')
  })

  test('what is no message at all', async () => {
    expect(await provoke('json', '', '{', 'undefined', '{"a":}', '['.repeat(100_000))).toBe('refused')
    expect(await provoke('shape', 'null', '5', '"text"', '[null]', '[[]]', '[5]')).toBe('refused')
    expect(await provoke('batch', `[${Array.from({ length: 1001 }, () => '{}').join(',')}]`)).toBe('refused')
    const souls = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`s${i}`, {}]))
    expect(await provoke('souls', message({ put: souls }))).toBe('refused')
  })

  test('link frames without a proof, malformed, or of another network', async () => {
    const frames = [
      { en: 'sums', sums: [], last: true },
      { en: 'beats?' },
      { en: 'values?', n: 1, values: [['a', 'b']] },
    ]
    expect(await provoke('unproven', ...frames.map((frame) => JSON.stringify(frame)))).toBe('refused')
    expect(await provoke('frame', '{"en":5}', '{"en":"hello"}', '{"en":"sums","sums":{},"last":1}')).toBe('refused')
    const hello = { en: 'hello', v: 1, id: stranger.id, nonce: stranger.id }
    expect(await provoke('hello_network', JSON.stringify({ ...hello, network: 'a'.repeat(16) }))).toBe('refused')
    expect(await provoke('hello_self', JSON.stringify({ ...hello, network: id, id: target.id }))).toBe('refused')
    const proof = `${'A'.repeat(85)}A`
    expect(await provoke('hello_order', JSON.stringify({ en: 'proof', proof }))).toBe('refused')
    const before = (await refused())['hello_proof'] ?? 0
    const ws = await connect()
    ws.send(JSON.stringify({ ...hello, network: id }))
    await once(ws, 'message')
    ws.send(JSON.stringify({ en: 'proof', proof }))
    await once(ws, 'close')
    expect((await refused())['hello_proof']).toBe(before + 1)
  })
})

test("an answer to GUN's own events is not taken for one", async () => {
  const ws = await connect()
  for (const event of ['in', 'out', 'put', 'get', 'hi', 'bye', 'create', 'opt', 'node', 'constructor']) {
    ws.send(message({ '@': event, put: null }))
    ws.send(message({ '@': event, ok: 1, err: 'x' }))
    ws.send(message({ '@': event, '##': 'ructor', get: { '#': `en1/${id}/o` } }))
  }
  const answer = new Promise<string>((resolve) =>
    ws.on('message', (data: Buffer) => {
      if (data.includes('"@":"last"')) resolve(data.toString())
    }),
  )
  ws.send(JSON.stringify({ '#': 'last', get: { '#': `en1/${id}/o` } }))
  expect(await answer).toContain('last')
  expect((await target.state()).faults).toEqual([])
})

test('a flood is refused, then cut, and memory stays bounded', async () => {
  const before = await target.state()
  const ws = await connect()
  const closed = once(ws, 'close') as Promise<[number]>
  const ts = Date.now()
  const text = put(soulOf(stranger.id), manifest.infoHash, await sealed(stranger, ts), ts)
  for (let i = 0; i < 60_000 && ws.readyState === WebSocket.OPEN; i++) {
    ws.send(text)
    if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const [code] = await closed
  expect([1006, 1008]).toContain(code)
  const after = await target.state()
  expect(after.stats.refused['rate']).toBeGreaterThan(before.stats.refused['rate'] ?? 0)
  expect(after.rss - before.rss).toBeLessThan(150 << 20)
})

test('a reader that never reads is held off', async () => {
  const heldOff = async (): Promise<number> => {
    const counts = await refused()
    return ['gets', 'get_rate', 'backpressure', 'rate'].reduce((sum, reason) => sum + (counts[reason] ?? 0), 0)
  }
  const before = await heldOff()
  await member.ask({ do: 'publish', from: 0, count: 2000, salt: 'bulk', parallel: 64 })
  await until(async () => (await target.state()).manifests === 2001, { within: 60_000, what: '2000 manifests' })
  const ws = await connect()
  ws.pause()
  const buckets = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))
  for (let round = 0; round < 40; round++) {
    for (const bucket of buckets.slice(0, 100)) ws.send(message({ get: { '#': `en1/${id}/m/${member.id}/${bucket}` } }))
  }
  const { rss } = await target.state()
  await until(async () => (await heldOff()) > before, { within: 40_000, what: 'its requests are refused' })
  expect((await target.state()).rss - rss).toBeLessThan(100 << 20)
})

test('neither a mob nor a heartbeat makes a node dial into the own network', async () => {
  let dialled = 0
  const victim = createServer((socket) => {
    dialled++
    socket.destroy()
  })
  victim.listen(0, '127.0.0.1')
  await once(victim, 'listening')
  const { port } = victim.address() as AddressInfo
  const ghost = identityOfSeed('66'.repeat(32))
  await network.admit(ghost.id, ['seeder'])
  try {
    expect(await provoke('dam', message({ dam: 'mob', peers: { [`http://127.0.0.1:${port}/gun`]: {} } }))).toBe(
      'refused',
    )
    for (const host of [`127.0.0.1:${port}`, '169.254.169.254', `localhost:${port}`]) {
      const before = (await refused())['address_refused'] ?? 0
      const ts = Date.now()
      const body = heartbeatOf(`ws://${host}/gun`)
      const value = await seal({ kind: 'hb', network: id, ts, body }, ghost)
      const ws = await connect()
      ws.send(put(`en1/${id}/hb/${ghost.id}`, 'hb', value, ts))
      const counted = async (): Promise<boolean> => ((await refused())['address_refused'] ?? 0) > before
      await until(counted, { within: 15_000, what: `${host} is refused` })
    }
    expect(dialled).toBe(0)
  } finally {
    victim.close()
  }
})

test('a member whose certificate is taken back publishes no more; what it published stays', async () => {
  const traitor = identityOfSeed('77'.repeat(32))
  await network.admit(traitor.id, ['publisher'])
  const count = (await target.state()).manifests
  const ts = Date.now()
  const ws = await connect()
  ws.send(put(soulOf(traitor.id), manifest.infoHash, await sealed(traitor, ts), ts))
  await until(async () => (await target.state()).manifests === count + 1, { within: 10_000, what: 'its manifest' })
  await until(() => Date.now() > ts + 2, { within: 1000, what: 'later' })
  await network.admit(traitor.id, [])
  const [before, after] = [manifestOf('attack', 2), manifestOf('attack', 3)]
  const backdated = await sealed(traitor, ts, before)
  const late = Date.now() + 1000
  expect(await provoke('revoked', put(soulOf(traitor.id, before.infoHash), before.infoHash, backdated, ts))).toBe(
    'refused',
  )
  await provoke(
    'stranger',
    put(soulOf(traitor.id, after.infoHash), after.infoHash, await sealed(traitor, late, after), late),
  )
  expect(await target.ask({ do: 'has', pub: traitor.id, infoHash: manifest.infoHash })).toBe(true)
  // The member's own link passes it on to one that comes later.
  const late2 = await network.join({ peers: [member], allowPrivate: false })
  const has = async (): Promise<boolean> => (await late2.state()).manifests === count + 1
  await until(has, { within: 15_000, what: 'a late joiner has what was published before' })
})
