import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange } from '../harness/fuzz/exchange.ts'
import type { OpenApi } from '../harness/fuzz/document.ts'
import { type Known, rawRequestsOf, requestsOf, type WireRequest } from '../harness/fuzz/requests.ts'
import { backToLevel, footprint, Network, until } from '../harness/index.ts'

/** Sent by both tests together, the warm-up included. `scripts/nightly` sends 100,000, each time others. */
const total = Number(process.env['ELDERNODE_FUZZ_REQUESTS'] ?? 10_000)
const seed = process.env['ELDERNODE_FUZZ_REQUESTS'] === undefined ? 20_261_121 : Date.now() % 2 ** 31
const atOnce = 40
/** The first requests fill caches, compile code and open databases. */
const warmUp = Math.min(2000, total / 5)
const raw = total * 0.1
const countOf = (statuses: Map<number, number>) => [...statuses.values()].reduce((sum, count) => sum + count, 0)

/** 5xx that say what a request asked for cannot be had now, and no fault. */
const excused = new Set(['media_paused', 'media_being_checked', 'verifications_busy', 'busy', 'too_many_listeners'])

let network: Network
let document: OpenApi
let known: Known

beforeAll(async () => {
  network = await Network.start({
    seeders: 1,
    tracker: false,
    settings: { 'rate.token': 0, 'rate.address': 0, 'rate.failures': 0, 'network.allowPrivate': false },
  })
  document = await network.first.get<OpenApi>('/openapi.json')
  const ids: string[] = []
  // Many, since some of the requests take items down.
  for (let i = 0; i < 100; i++) {
    const { id, sha256 } = await network.first.publish(`${i}.txt`, new TextEncoder().encode(`bytes of item ${i}`))
    ids.push(id, sha256)
  }
  known = { token: network.first.token, ids }
})

afterAll(() => network.close())

async function send(requests: fc.Arbitrary<WireRequest>, count: number): Promise<Map<number, number>> {
  const port = Number(new URL(network.first.url).port)
  const statuses = new Map<number, number>()
  const batches = fc.array(requests, { minLength: atOnce, maxLength: atOnce })
  const property = fc.asyncProperty(batches, async (batch) => {
    const answers = await Promise.all(batch.map((request) => exchange(port, request)))
    for (const [n, { status, code, text, end }] of answers.entries()) {
      const request = batch[n]
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      // Without a body it cannot say why.
      const isSilent = status === 503 && request?.text.startsWith('HEAD ') === true
      if (status >= 500 && !excused.has(code) && !isSilent)
        throw new Error(`${request?.text} was answered: ${text.slice(0, 2000)}`)
      if (request?.whole === true && (status === 0 || end === 'late'))
        throw new Error(`${request.text} got no answer (${end}): "${text}"`)
    }
  })
  await fc.assert(property, { numRuns: Math.ceil(count / atOnce), endOnFailure: true, seed })
  return statuses
}

async function calm(): Promise<void> {
  await until(async () => (await readdir(join(network.first.folder, 'incoming'))).length === 0, {
    within: 20_000,
    what: 'nothing is left in staging',
  })
}

test('requests to every route, right ones and wrong ones, find no fault and leave nothing behind', async () => {
  network.reportFailure()
  const { pid } = network.first
  const first = await send(requestsOf(document, known), warmUp)
  await calm()
  const before = await footprint(network.first)
  const statuses = await send(requestsOf(document, known), total - warmUp - raw)
  await calm()
  await backToLevel(network.first, before, { residentBytes: 150 * 2 ** 20, liveBytes: 0, descriptors: 40 })
  expect([network.first.isRunning, network.first.pid]).toEqual([true, pid])
  expect(countOf(first) + countOf(statuses) + raw).toBeGreaterThanOrEqual(total)
  // They got behind the door, and not all of them.
  for (const status of [200, 201, 400, 401, 404, 415]) expect(statuses.get(status) ?? 0, `${status}`).toBeGreaterThan(0)
})

test('raw bytes to every route find no fault', async () => {
  network.reportFailure()
  const before = await footprint(network.first)
  const statuses = await send(rawRequestsOf(document, known), raw)
  expect(countOf(statuses)).toBeGreaterThanOrEqual(raw)
  expect(statuses.get(400) ?? 0).toBeGreaterThan(0)
  await calm()
  await backToLevel(network.first, before, { residentBytes: 150 * 2 ** 20, liveBytes: 0, descriptors: 40 })
  await network.first.ready()
})
