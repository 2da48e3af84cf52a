import { beforeEach, expect, test } from 'vitest'
import { WebIdentity, WebVerifier } from '../identity/index.ts'
import type { Identity } from '../identity/index.ts'
import { TooManyRequestsError, UnsignedRequestError } from './errors.ts'
import { RequestGate, signRequest } from './signed-request.ts'

const start = 1_800_000_000_000
const request = { method: 'GET', url: 'http://node-1.example:8765/v1/media/abc/torrent?x=%20y' }
const body = new TextEncoder().encode('{"piece":4}')
let node: Identity
let now: number
let gate: RequestGate

beforeEach(async () => {
  node = await WebIdentity.generate()
  now = start
  gate = new RequestGate({ verifier: new WebVerifier(), admits: (id) => id === node.id, now: () => now })
})

test('a signed request passes and names its signer', async () => {
  expect(await gate.check(request, await signRequest(request, node, now))).toBe(node.id)
  const post = { ...request, method: 'POST', body }
  expect(await gate.check(post, await signRequest(post, node, now))).toBe(node.id)
})

test.each([
  ['another method', { method: 'DELETE' }],
  ['another target', { url: 'http://node-2.example:8765/v1/media/abc/torrent?x=%20y' }],
  ['another query', { url: 'http://node-1.example:8765/v1/media/abc/torrent?x=%20z' }],
  ['another body', { body }],
])('%s is refused', async (_what, change) => {
  const headers = await signRequest(request, node, now)
  await expect(gate.check({ ...request, ...change }, headers)).rejects.toThrow(UnsignedRequestError)
})

test('a request passes once', async () => {
  const headers = await signRequest(request, node, now)
  await gate.check(request, headers)
  await expect(gate.check(request, headers)).rejects.toThrow('sent before')
  now += 299_000
  await expect(gate.check(request, headers)).rejects.toThrow('sent before')
})

test('too old and too far ahead are refused', async () => {
  const headers = await signRequest(request, node, now)
  now += 1_000_000
  await expect(gate.check(request, headers)).rejects.toThrow(UnsignedRequestError)
  now = start - 1_000_000
  await expect(gate.check(request, headers)).rejects.toThrow(UnsignedRequestError)
})

test('a stranger is refused, and so is a member whose key another claims', async () => {
  const stranger = await WebIdentity.generate()
  await expect(gate.check(request, await signRequest(request, stranger, now))).rejects.toThrow('not admitted')
  const liar = { id: node.id, sign: (bytes: Uint8Array) => stranger.sign(bytes) }
  await expect(gate.check(request, await signRequest(request, liar, now))).rejects.toThrow(UnsignedRequestError)
})

test.each([
  ['no headers', () => ({})],
  ['no signature', (headers: object) => ({ ...headers, signature: undefined })],
  ['garbage', (headers: object) => ({ ...headers, signature: 'x', 'signature-input': '((((' })],
  ['a repeated field', (headers: object) => ({ ...headers, signature: ['a', 'b'] })],
  ['an endless field', (headers: object) => ({ ...headers, 'signature-input': 'a'.repeat(100_000) })],
  [
    'fewer components',
    (headers: Record<string, string>) => ({
      ...headers,
      'signature-input': headers['signature-input']!.replace(' "@target-uri"', ''),
    }),
  ],
])(
  '%s: refused',
  async (_what, change: (headers: Record<string, string>) => Record<string, string | string[] | undefined>) => {
    const headers = change(await signRequest(request, node, now))
    await expect(gate.check(request, headers)).rejects.toThrow(UnsignedRequestError)
  },
)

test('what is remembered of one node is bounded, and forgotten after the window', async () => {
  gate = new RequestGate({ verifier: new WebVerifier(), admits: () => true, now: () => now, mostOfOne: 3 })
  const send = async () => gate.check(request, await signRequest(request, node, now))
  for (let i = 0; i < 3; i++) await send()
  await expect(send()).rejects.toThrow(TooManyRequestsError)
  now += 700_000
  expect(await send()).toBe(node.id)
})
