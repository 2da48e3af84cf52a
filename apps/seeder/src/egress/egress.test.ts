import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { fetch } from 'undici'
import { AddressRefusedError } from '@eldernode/member/addresses'
import { Egress } from './index.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

function egress(allowPrivate: boolean, allowedOrigins: string[] = []): Egress {
  const made = new Egress({ allowPrivate, allowedOrigins })
  closers.push(() => made.close())
  return made
}

async function serve(answer: (url: string) => { status: number; location?: string }): Promise<string> {
  const server = createServer((request, response) => {
    const { status, location } = answer(request.url ?? '')
    response.writeHead(status, location === undefined ? {} : { location }).end('body')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => new Promise((resolve) => server.close(resolve)))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each([
  ['8.8.8.8', true],
  ['2606:4700::1111', true],
  ['[2606:4700::1111]', true],
  ['example.org', true],
  ['127.0.0.1', false],
  ['10.1.2.3', false],
  ['172.16.0.1', false],
  ['192.168.0.1', false],
  ['169.254.169.254', false],
  ['100.64.0.1', false],
  ['0.0.0.0', false],
  ['255.255.255.255', false],
  ['224.0.0.1', false],
  ['::1', false],
  ['[::1]', false],
  ['::', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:7f00:1', false],
  ['64:ff9b::7f00:1', false],
  ['::127.0.0.1', false],
  ['::7f00:1', false],
  ['64:ff9b:1::7f00:1', false],
  ['2002:7f00:1::', false],
  ['fec0::1', false],
  ['4000::1', false],
  ['fe80::1', false],
  ['fe80::1%eth0', false],
  ['fc00::1', false],
  ['localhost', false],
  ['a.localhost.', false],
  ['', false],
])('judges %s', (host, allowed) => {
  expect(egress(false).isAllowedAddress(host)).toBe(allowed)
  expect(egress(true).isAllowedAddress(host)).toBe(true)
})

test('refuses a private address before connecting, and reaches it when allowed', async () => {
  const origin = await serve(() => ({ status: 200 }))
  const refused = fetch(origin, { dispatcher: egress(false).dispatcher })
  await expect(refused).rejects.toHaveProperty('cause', expect.any(AddressRefusedError))
  expect((await fetch(origin, { dispatcher: egress(true).dispatcher })).status).toBe(200)
  expect((await fetch(origin, { dispatcher: egress(false, [origin]).dispatcher })).status).toBe(200)
})

test('judges a host name by the address it resolves to', async () => {
  const { port } = new URL(await serve(() => ({ status: 200 })))
  // A name that getaddrinfo answers without DNS, yet no IP literal by Node's rules.
  const named = `http://0177.1:${port}`
  const guarded = egress(false)
  const refused = fetch(named, { dispatcher: guarded.dispatcher })
  await expect(refused).rejects.toHaveProperty('cause', expect.any(AddressRefusedError))
  await expect(guarded.resolve('127.1')).rejects.toBeInstanceOf(AddressRefusedError)
  await expect(guarded.resolve('localhost')).rejects.toBeInstanceOf(AddressRefusedError)
  expect(await egress(true).resolve('localhost')).toContain('127.0.0.1')
})

test('a redirect passes the same check', async () => {
  const inner = await serve(() => ({ status: 200 }))
  const outer = await serve(() => ({ status: 302, location: inner }))
  const refused = fetch(outer, { dispatcher: egress(false, [outer]).dispatcher })
  await expect(refused).rejects.toHaveProperty('cause', expect.any(AddressRefusedError))
})

test('lookup answers one address or all, as node asks', async () => {
  const open = egress(true)
  const one = await new Promise<unknown>((resolve) =>
    open.lookup('127.0.0.1', {}, (_error, address) => resolve(address)),
  )
  const all = await new Promise<unknown>((resolve) => {
    open.lookup('127.0.0.1', { all: true }, (_error, addresses) => resolve(addresses))
  })
  expect(one).toBe('127.0.0.1')
  expect(all).toEqual([{ address: '127.0.0.1', family: 4 }])
})
