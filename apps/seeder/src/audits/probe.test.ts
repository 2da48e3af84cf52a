import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Egress } from '../egress/index.ts'
import { describe } from '../ingest/index.ts'
import { Probe } from './probe.ts'

const holder = 'h'.repeat(43)
const pieceLength = 16_384
const bytes = randomBytes(3 * pieceLength - 100)
const pieceOf = (piece: number) => bytes.subarray(piece * pieceLength, (piece + 1) * pieceLength)
const { metainfo, infoHash } = describe({
  name: 'a.bin',
  size: bytes.length,
  pieceLength,
  pieces: Buffer.concat([0, 1, 2].map((piece) => createHash('sha1').update(pieceOf(piece)).digest())),
  files: [{ path: 'a.bin', size: bytes.length }],
})

type Answer = (response: ServerResponse, piece: number, request: IncomingMessage) => void | Promise<void>

/** What a holder does when it is asked for a round trip, for metainfo and for a piece. */
interface Holder {
  trip: Answer
  metainfo: Answer
  piece: Answer
}

const status =
  (code: number): Answer =>
  (response) =>
    void response.writeHead(code).end()
const honest: Holder = {
  trip: status(204),
  metainfo: (response) => void response.end(metainfo),
  piece: (response, piece) => void response.end(pieceOf(piece)),
}

let egress: Egress
const servers: Server[] = []
const trips: number[] = []
/** Milliseconds: as long as the holders say that they took. */
let clock = 0
/** How often it was looked at. */
let looks = 0

beforeAll(() => {
  egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
})

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

afterAll(() => egress.close())

async function listen(answers: Holder): Promise<string> {
  const server = createServer((request, response) => {
    const [, , , , hash, piece] = (request.url ?? '').split('/')
    const answer = hash === undefined ? answers.trip : piece === undefined ? answers.metainfo : answers.piece
    void answer(response, Number(piece), request)
  })
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Asks a holder that is honest but for what is given. */
async function audit(lies: Partial<Holder>, { piece, random = 0 }: { piece?: number; random?: number } = {}) {
  const base = await listen({ ...honest, ...lies })
  return await ask(base, piece, random)
}

async function ask(
  base: string | undefined,
  piece: number | undefined,
  random: number,
  known?: Uint8Array,
  item = infoHash,
) {
  const probe = new Probe({
    library: { metainfo: () => known },
    egress,
    baseOf: () => base,
    authorize: async (_method, url) => Promise.resolve({ 'x-signed': url.pathname }),
    measured: (_id, ms) => trips.push(ms),
    clock: () => {
      looks++
      return clock
    },
    random: () => random,
  })
  const task = { infoHash: item, ...(piece !== undefined && { piece }) }
  return await probe.audit(holder, task, AbortSignal.timeout(30_000))
}

test('a holder that has the piece passes, the last and shorter one too, and its round trip is measured', async () => {
  const trip: Answer = (response) => {
    clock += 20
    response.writeHead(204).end()
  }
  const piece: Answer = (response, number) => {
    clock += 330
    response.end(pieceOf(number))
  }
  expect(await audit({ trip, piece })).toEqual({ what: 'passed', ms: 330 })
  expect(await audit({ trip, piece }, { random: 0.99 })).toEqual({ what: 'passed', ms: 330 })
  expect(trips).toEqual([20, 20])
})

test('it is asked for a random piece, or for the one that was failed; signed, but for the round trip', async () => {
  const asked: unknown[] = []
  const piece: Answer = (response, number, request) => {
    asked.push([number, request.headers['x-signed'] === request.url])
    response.end(pieceOf(number))
  }
  await audit({ piece }, { random: 0.5 })
  await audit({ piece }, { piece: 2 })
  expect(asked).toEqual([
    [1, true],
    [2, true],
  ])
})

test('one that claims and holds nothing fails, whether it says so or gives anything else', async () => {
  expect(await audit({ metainfo: status(404) }, { random: 0.5 })).toMatchObject({ what: 'failed', piece: 0 })
  expect(await audit({ piece: status(404) }, { random: 0.5 })).toMatchObject({ what: 'failed', piece: 1 })
  const wrong: Answer[] = [
    (response) => void response.end(randomBytes(pieceLength)),
    (response) => void response.end(pieceOf(0).subarray(1)),
    (response) => void response.end(Buffer.concat([pieceOf(0), pieceOf(1)])),
    (response) => void response.end(),
    (response) => void response.end(pieceOf(1)),
  ]
  const noise: Answer = (response) => void response.end(randomBytes(pieceLength))
  expect(await audit({ trip: noise, metainfo: noise, piece: noise })).toMatchObject({ what: 'failed', piece: 0 })
  for (const piece of wrong) expect(await audit({ piece })).toMatchObject({ what: 'failed', piece: 0 })
})

test('an answer without end is cut off where the piece ends', async () => {
  let left = false
  const piece: Answer = async (response) => {
    response.on('close', () => (left = true))
    while (!left && response.write(randomBytes(pieceLength))) await wait(1)
  }
  expect(await audit({ piece })).toMatchObject({ what: 'failed' })
  await expect.poll(() => left).toBe(true)
})

/** An item of one piece of 1 MiB, and a holder of it. */
const large = randomBytes(2 ** 20)
const one = describe({
  name: 'b.bin',
  size: large.length,
  pieceLength: large.length,
  pieces: createHash('sha1').update(large).digest(),
  files: [{ path: 'b.bin', size: large.length }],
})
const sampled = ({ url = '' }: IncomingMessage, of = large): Buffer => {
  const start = Number(new URL(url, 'http://holder').searchParams.get('sample'))
  return of.subarray(start, start + 16_384)
}
async function auditLarge(piece: Answer) {
  const base = await listen({ ...honest, piece })
  return await ask(base, undefined, 0.3, one.metainfo, one.infoHash)
}

test('a holder behind a slow link passes by the sample, which comes in time ahead of the whole', async () => {
  const slow: Answer = async (response, _piece, request) => {
    clock += 300
    const before = looks
    response.write(sampled(request))
    await expect.poll(() => looks).toBeGreaterThan(before)
    clock += 60_000
    response.end(large)
  }
  expect(await auditLarge(slow)).toEqual({ what: 'passed', ms: 300 })
})

test('a sample that comes late proves nothing, and one that is no part of the piece is a failure', async () => {
  const late: Answer = (response, _piece, request) => {
    clock += 400
    response.end(Buffer.concat([sampled(request), large]))
  }
  expect(await auditLarge(late)).toEqual({ what: 'late', ms: 400 })
  const other = Buffer.from(large)
  other[Math.floor(0.3 * (2 ** 20 - 16_384)) + 16_383]! ^= 1
  const wrong: Answer = (response, _piece, request) =>
    void response.end(Buffer.concat([sampled(request, other), large]))
  expect(await auditLarge(wrong)).toMatchObject({ what: 'failed' })
  const none: Answer = (response) => void response.end(large)
  expect(await auditLarge(none)).toMatchObject({ what: 'failed' })
})

test('metainfo that is another item’s, or none at all, is a failure', async () => {
  const other = Buffer.from(metainfo)
  other[other.length - 10]! ^= 1
  expect(await audit({ metainfo: (response) => void response.end(other) })).toMatchObject({ what: 'failed' })
  expect(await audit({ metainfo: (response) => void response.end('<html>') })).toMatchObject({ what: 'failed' })
})

test('what the auditor knows of the item itself it does not ask for', async () => {
  const base = await listen({ ...honest, metainfo: status(500) })
  expect(await ask(base, undefined, 0, metainfo)).toMatchObject({ what: 'passed' })
})

test('one that fetches on demand is late: what comes is right, and proves nothing', async () => {
  const source = await listen({
    ...honest,
    piece: (response, piece) => {
      clock += 400
      response.end(pieceOf(piece))
    },
  })
  const piece: Answer = async (response, number) => {
    const got = await fetch(`${source}/v1/audits/${holder}/${infoHash}/${number}`)
    response.end(Buffer.from(await got.arrayBuffer()))
  }
  expect(await audit({ piece })).toEqual({ what: 'late', ms: 400 })
})

test('one that answers all slowly, to have time for fetching, is late all the same', async () => {
  const trip: Answer = (response) => {
    clock += 3000
    response.writeHead(204).end()
  }
  const piece: Answer = (response, number) => {
    clock += 3000
    response.end(pieceOf(number))
  }
  expect(await audit({ trip, piece })).toEqual({ what: 'late', ms: 3000 })
})

test('wrong bytes are a failure however late they come', async () => {
  const piece: Answer = (response) => {
    clock += 400
    response.end(randomBytes(pieceLength))
  }
  expect(await audit({ piece })).toMatchObject({ what: 'failed' })
})

test('one whose address leads to a neighbour fails by what the neighbour says', async () => {
  expect(await audit({ trip: status(421) }, { piece: 1 })).toMatchObject({ what: 'failed', piece: 1 })
  expect(await audit({ piece: status(421) })).toMatchObject({ what: 'failed' })
})

test.each([
  ['one that is busy', { piece: status(503) }],
  ['one that does not know the auditor yet', { piece: status(403) }],
  ['one whose clock is wrong', { metainfo: status(401) }],
  ['one that redirects', { piece: status(302) }],
  ['one that knows no audits', { trip: status(404) }],
  ['one that hangs up', { piece: (response: ServerResponse) => void response.destroy() }],
  [
    'one that hangs up amid the piece',
    {
      piece: (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': pieceLength })
        response.write(pieceOf(0).subarray(0, 100), () => response.destroy())
      },
    },
  ],
])('%s neither passes nor fails', async (_who, lies: Partial<Holder>) => {
  expect(await audit(lies)).toMatchObject({ what: 'silent' })
})

test('one that cannot be reached, or names no address, neither passes nor fails', async () => {
  const base = await listen(honest)
  servers.at(-1)?.close()
  servers.at(-1)?.closeAllConnections()
  expect(await ask(base, undefined, 0)).toMatchObject({ what: 'silent' })
  expect(await ask(undefined, undefined, 0)).toMatchObject({ what: 'silent' })
})
