import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { Problem } from '../problem.ts'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 })

let node: TestNode

beforeAll(async () => {
  node = await startTestNode()
})

afterAll(async () => {
  await node.stop()
})

const put = (soul: unknown, data: unknown, headers: Record<string, string> = {}) =>
  node.ask('/put', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ soul, data }),
  })
const get = async (soul: string) => {
  const answer = await fetch(`${node.url}/get?soul=${encodeURIComponent(soul)}`)
  return { status: answer.status, body: (await answer.json()) as { data?: object } & Partial<Problem> }
}

test('what is written with a token is read by anybody, lists as JSON text, and linked from its map', async () => {
  const written = await put('albums/1', { title: 'So What', year: 1959, live: false, label: null, tracks: ['a', 'b'] })
  expect(await written.json()).toEqual({ success: true, soul: 'albums/1' })
  expect((await put('albums/1', { first: { '#': 'tracks/1' } })).status).toBe(200)
  const data = {
    title: 'So What',
    year: 1959,
    live: false,
    label: null,
    tracks: '["a","b"]',
    first: { '#': 'tracks/1' },
  }
  expect(await get('albums/1')).toEqual({ status: 200, body: { success: true, data } })
  expect((await get('albums')).body.data).toEqual({ 1: { '#': 'albums/1' } })
})

test('a preview of 1 MiB is kept; what is larger is refused, and so is what goes elsewhere', async () => {
  const audioData = Buffer.alloc(2 ** 20).toString('base64')
  expect((await put('previews/1', { audioData })).status).toBe(200)
  expect((await get('previews/1')).body.data).toEqual({ audioData })
  const refused: [unknown, unknown][] = [
    ['previews/1', { audioData: Buffer.alloc(2 ** 20 + 1000).toString('base64') }],
    ['albums/1', { title: 'x'.repeat(10_000) }],
    ['albums/1', { nested: { title: 'x' } }],
    ['albums/1', { constructor: 'x' }],
    ['albums/1', { link: { '#': 'en1/abcdefghijklmnop/o' } }],
    ['en1/abcdefghijklmnop/o', { 1: 'x' }],
    ['constructor', { a: 'x' }],
    ['elsewhere/1', { a: 'x' }],
    ['eldernodes/1', { status: 'active' }],
    ['albums/1', Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`k${n}`, 1]))],
    ['albums/1', 'text'],
    [5, {}],
  ]
  for (const [soul, data] of refused) {
    const answer = await put(soul, data)
    expect([answer.status, ((await answer.json()) as Problem).code], JSON.stringify(soul)).toEqual([
      400,
      'invalid_input',
    ])
  }
})

test('writing needs a token; nothing is 404, and signed values are not read here', async () => {
  const stranger = await fetch(`${node.url}/put`, { method: 'POST', body: '{}' })
  expect(stranger.status).toBe(401)
  for (const soul of ['albums/none', 'en1/abcdefghijklmnop/o', '__proto__', 'constructor']) {
    expect(await get(soul)).toMatchObject({ status: 404, body: { code: 'map_node_not_found' } })
  }
})

test('a stock client hears of it, and its node is the eldernode that it says it is', async () => {
  const heard: string[] = []
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}/gun`)
  onTestFinished(() => socket.terminate())
  socket.on('message', (data: Buffer) => heard.push(data.toString()))
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send('{"#":"hi","dam":"?","pid":"stock"}')
  socket.send('{"#":"ask","get":{"#":"eldernodes"}}')
  await vi.waitFor(() => expect(heard.some((text) => text.includes('"@":"ask"'))).toBe(true))
  const { id } = (await (await node.ask('/v1/node')).json()) as { id: string }
  expect(heard.join('')).toContain(`eldernodes/${id}`)
  expect((await get(`eldernodes/${id}`)).body.data).toMatchObject({ nodeId: id, endpoint: node.url, status: 'active' })
  // Nobody else says so.
  const forged = {
    [`eldernodes/${id}`]: { _: { '#': `eldernodes/${id}`, '>': { endpoint: Date.now() } }, endpoint: 'x' },
  }
  socket.send(JSON.stringify({ '#': 'forged', put: forged }))
  await put('tracks/1', { title: 'heard' })
  await vi.waitFor(() => expect(heard.join('')).toContain('"title":"heard"'))
  expect((await get(`eldernodes/${id}`)).body.data).toMatchObject({ endpoint: node.url })
})

test('an operator may keep no maps', async () => {
  const without = await startTestNode({ digm: { maps: false } })
  try {
    const answer = await fetch(`${without.url}/get?soul=albums/1`)
    expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([409, 'maps_off'])
  } finally {
    await without.stop()
  }
})
