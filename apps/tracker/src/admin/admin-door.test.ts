import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, isIPv4 } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ban, type Ledger, SqliteLedger, ValkeyLedger } from '../ledger/index.ts'
import { AdminDoor } from './admin-door.ts'
import { sumStats } from './stats.ts'

const token = 'correct-horse-battery-staple-0123'
const clock = Date.parse('2030-01-01T00:00:00Z')
const hash = (digit: string): string => digit.repeat(40)

let folder: string
let ledger: SqliteLedger
let server: Server
let url: string
let heard: number
/** What this tracker has banned by itself, and not told its ledger yet. */
let untold: Ban[]
let logged: Record<string, unknown>[]

const open = async (given: Ledger | undefined): Promise<void> => {
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) })
  const door = new AdminDoor({
    ledger: given,
    catchUp: async () => {
      heard++
      if (untold.length > 0) await given?.ban(untold.splice(0))
    },
    stats: async () => sumStats({ mode: 'private', ledger: null, network: null }, []),
    networkOf: (address) => (isIPv4(address) && !address.startsWith('127.') ? address : undefined),
    clock: () => clock,
    matches: (text) => text === token,
    log,
  })
  server = createServer((request, response) => {
    if (!door.answer(request, response)) response.writeHead(418).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const shut = async (): Promise<void> => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

beforeEach(async () => {
  heard = 0
  untold = []
  logged = []
  folder = await mkdtemp(join(tmpdir(), 'eldernode-admin-'))
  ledger = new SqliteLedger(join(folder, 'ledger.db'), () => clock)
  await open(ledger)
})

afterEach(async () => {
  await shut()
  await ledger.close()
  await rm(folder, { recursive: true, force: true })
})

const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as unknown, response }
}

const refusal = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
  const { status, body: problem, response } = await ask(method, path, body, headers)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(problem).toMatchObject({ type: 'about:blank', status })
  return [status, (problem as { code: string }).code]
}

it('makes a key, shows it without its passkey, and revokes it', async () => {
  const made = await ask('POST', '/v1/keys', { label: ' alice ' })
  expect(made.status).toBe(201)
  expect(made.response.headers.get('location')).toBe('/v1/keys/1')
  expect(made.response.headers.get('cache-control')).toBe('no-store')
  const { passkey, announce, ...key } = made.body as Record<string, unknown>
  expect(passkey).toMatch(/^[\w-]{32}$/)
  expect(announce).toBe(`/${String(passkey)}/announce`)
  expect(key).toEqual({ id: 1, label: 'alice', createdAt: '2030-01-01T00:00:00.000Z', uploaded: 0, downloaded: 0 })
  expect((await ask('GET', '/v1/keys')).body).toEqual({ keys: [key] })
  expect((await ask('GET', '/v1/keys/1')).body).toEqual(key)
  expect((await ask('DELETE', '/v1/keys/1')).status).toBe(204)
  expect((await ask('DELETE', '/v1/keys/1')).status).toBe(204)
  expect((await ask('GET', '/v1/keys/1')).body).toEqual({ ...key, revokedAt: '2030-01-01T00:00:00.000Z' })
  // Each change is in effect here before it is answered.
  expect(heard).toBe(3)
  expect(logged.map(({ msg, key: id }) => [msg, id])).toEqual([
    ['a key was made', 1],
    ['a key was revoked', 1],
  ])
  expect(JSON.stringify(logged)).not.toContain(passkey)
})

it('gives keys in pages', async () => {
  for (let i = 0; i < 3; i++) await ledger.create(`key ${i}`)
  const first = (await ask('GET', '/v1/keys?limit=2')).body as { keys: object[]; next: string }
  expect([first.keys.length, first.next]).toEqual([2, '2'])
  expect((await ask('GET', `/v1/keys?limit=2&after=${first.next}`)).body).toMatchObject({ keys: [{ id: 3 }] })
})

it('keeps lists of infohashes', async () => {
  expect((await ask('POST', '/v1/denied', { infoHashes: [hash('A'), hash('b')] })).status).toBe(204)
  expect((await ask('PUT', `/v1/denied/${hash('c')}`)).status).toBe(204)
  expect((await ask('DELETE', `/v1/denied/${hash('B')}`)).status).toBe(204)
  expect((await ask('GET', '/v1/denied')).body).toEqual({ infoHashes: [hash('a'), hash('c')] })
  expect((await ask('GET', '/v1/allowed')).body).toEqual({ infoHashes: [] })
  expect((await ask('GET', `/v1/denied?limit=1`)).body).toEqual({ infoHashes: [hash('a')], next: hash('a') })
})

it('bans an address, and lifts the ban', async () => {
  const ban = { network: '192.0.2.7', until: '2030-01-01T00:01:00.000Z' }
  expect(await ask('PUT', '/v1/bans/192.0.2.7', { seconds: 60 })).toMatchObject({ status: 200, body: ban })
  expect((await ask('GET', '/v1/bans')).body).toEqual({ bans: [ban] })
  expect((await ask('DELETE', '/v1/bans/192.0.2.7')).status).toBe(204)
  expect((await ask('GET', '/v1/bans')).body).toEqual({ bans: [] })
})

it('shows and lifts a ban that this tracker made a moment ago', async () => {
  const fresh = { network: '192.0.2.7', until: clock + 60_000 }
  untold.push(fresh)
  expect((await ask('GET', '/v1/bans')).body).toMatchObject({ bans: [{ network: '192.0.2.7' }] })
  untold.push(fresh)
  expect((await ask('DELETE', '/v1/bans/192.0.2.7')).status).toBe(204)
  expect((await ask('GET', '/v1/bans')).body).toEqual({ bans: [] })
})

it('tells its statistics', async () => {
  expect(await ask('GET', '/stats')).toMatchObject({ status: 200, body: { mode: 'private', swarms: 0, workers: [] } })
})

it('tells nobody anything without the token', async () => {
  for (const authorization of [
    '',
    'Bearer',
    `Basic ${token}`,
    'Bearer wrong',
    `Bearer ${token}x`,
    `Bearer ${'x'.repeat(9999)}`,
  ])
    for (const path of ['/stats', '/v1/keys', '/v1/none'])
      expect(await refusal('GET', path, undefined, { authorization })).toEqual([401, 'unauthorized'])
  const { response } = await ask('GET', '/stats', undefined, { authorization: '' })
  expect(response.headers.get('www-authenticate')).toBe('Bearer')
})

it('leaves other paths to others', async () => {
  expect((await fetch(`${url}/v1nothing`)).status).toBe(418)
  expect((await fetch(`${url}/stats/`)).status).toBe(418)
})

describe('what does not fit is refused', () => {
  it.each([
    ['GET', '/v1/none', undefined, 404, 'route_not_found'],
    ['GET', '/v1', undefined, 404, 'route_not_found'],
    ['GET', '/v1/keys/', undefined, 400, 'invalid_input'],
    ['GET', '/v1/keys/1/2', undefined, 404, 'route_not_found'],
    ['PATCH', '/v1/keys', { label: 'a' }, 404, 'route_not_found'],
    ['GET', '/v1/keys/2', undefined, 404, 'key_not_found'],
    ['DELETE', '/v1/keys/2', undefined, 404, 'key_not_found'],
    ['DELETE', '/v1/keys/0', undefined, 400, 'invalid_input'],
    ['GET', '/v1/keys/%zz', undefined, 400, 'invalid_input'],
    ['GET', '/v1/keys/1e99', undefined, 400, 'invalid_input'],
    ['GET', '/v1/keys?limit=1001', undefined, 400, 'invalid_input'],
    ['GET', '/v1/keys?after=-1', undefined, 400, 'invalid_input'],
    ['POST', '/v1/keys', undefined, 415, 'unsupported_media_type'],
    ['POST', '/v1/keys', '{', 400, 'invalid_json'],
    ['POST', '/v1/keys', {}, 400, 'invalid_input'],
    ['POST', '/v1/keys', { label: ' ' }, 400, 'invalid_input'],
    ['POST', '/v1/keys', { label: 'a\nb' }, 400, 'invalid_input'],
    ['POST', '/v1/keys', { label: 'x'.repeat(201) }, 400, 'invalid_input'],
    ['POST', '/v1/keys', { label: 'x'.repeat(70_000) }, 413, 'body_too_large'],
    ['PUT', '/v1/denied/xyz', undefined, 400, 'invalid_input'],
    ['POST', '/v1/allowed', { infoHashes: [] }, 400, 'invalid_input'],
    ['POST', '/v1/allowed', { infoHashes: Array(1001).fill(hash('a')) }, 400, 'invalid_input'],
    ['PUT', '/v1/bans/example.org', { seconds: 1 }, 400, 'invalid_input'],
    ['PUT', '/v1/bans/192.0.2.7', { seconds: 0 }, 400, 'invalid_input'],
  ])('%s %s %o', async (method, path, body, status, code) => {
    expect(await refusal(method, path, body)).toEqual([status, code])
    expect(heard).toBe(0)
  })

  it.each([
    ['GET', '/v1/keys/0', undefined, 'The id of the key is not valid: expected a number such as 1'],
    ['GET', '/v1/keys?limit=0', undefined, 'The query is not valid: limit: expected at least 1'],
    ['GET', '/v1/keys?limit=x', undefined, 'The query is not valid: limit: expected a number from 1 to 1000'],
    ['POST', '/v1/keys', {}, 'The body is not valid: label: is missing'],
    ['POST', '/v1/keys', { label: 5 }, 'The body is not valid: label: expected text'],
    ['POST', '/v1/keys', [], 'The body is not valid: expected an object'],
    ['POST', '/v1/keys', { label: 'x'.repeat(201) }, 'The body is not valid: label: expected at most 200 characters'],
    ['POST', '/v1/keys', { label: 'a', expiresAt: 1 }, 'The body is not valid: there is no "expiresAt" here'],
    ['POST', '/v1/denied', { infoHashes: [] }, 'The body is not valid: infoHashes: is empty'],
    ['PUT', '/v1/bans/192.0.2.7', { seconds: 1.5 }, 'The body is not valid: seconds: expected a whole number'],
    ['PUT', '/v1/bans/1.2.3', { seconds: 1 }, 'The address is not valid: expected an IP address, or an IPv6 /64'],
    ['PUT', '/v1/bans/127.0.0.1', { seconds: 1 }, 'The address is not valid: a member is never banned'],
  ])('%s %s %o says what is expected', async (method, path, body, detail) => {
    expect((await ask(method, path, body)).body).toMatchObject({ code: 'invalid_input', detail })
  })

  it('a chunked body without end', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {})
    const head = [
      'POST /v1/keys HTTP/1.1',
      'host: x',
      `authorization: Bearer ${token}`,
      'content-type: application/json',
    ]
    socket.write(`${head.join('\r\n')}\r\ntransfer-encoding: chunked\r\n\r\n`)
    socket.write(`11000\r\n${'x'.repeat(0x11000)}\r\n`)
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    expect(answer).toMatch(/^HTTP\/1.1 413 .*body_too_large/s)
  })
})

it('says that the ledger is away, and that there is none', async () => {
  await shut()
  const away = new ValkeyLedger('redis://127.0.0.1:9', Date.now)
  await open(away)
  expect(await refusal('GET', '/v1/keys')).toEqual([503, 'ledger_away'])
  expect(await refusal('POST', '/v1/keys', { label: 'a' })).toEqual([503, 'ledger_away'])
  expect(logged.map(({ level, err }) => [level, err])).toEqual([40, 40].map((level) => [level, undefined]))
  expect(logged.at(0)?.['reason']).toContain('127.0.0.1:9')
  await away.close()
  await shut()
  await open(undefined)
  expect(await refusal('GET', '/v1/keys')).toEqual([409, 'no_ledger'])
  expect((await ask('GET', '/stats')).status).toBe(200)
})
