import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { admit } from './node-api.ts'

/** Has a node that knows these certificates asked to admit `a`. @returns what was posted */
async function posted(...members: object[]): Promise<unknown> {
  let body: unknown
  const server = createServer((request, response) => {
    const answer = async () => {
      if (request.method === 'POST') body = await json(request)
      response.end(JSON.stringify({ members }))
    }
    void answer()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await admit(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'token', 'a')
  } finally {
    server.close()
  }
  return body
}

const later = Date.now() + 1e9
const certificate = { member: 'a', roles: ['seeder'], operator: 'them', expiresAt: later }

test('a node is admitted once', async () => {
  expect(await posted({ ...certificate, member: 'b' })).toEqual({ member: 'a' })
  expect(await posted({ ...certificate, roles: [] })).toEqual({ member: 'a' })
  expect(await posted({ ...certificate, expiresAt: 1 })).toEqual({ member: 'a' })
  expect(await posted({ ...certificate, roles: ['seeder', 'auditor'] })).toBeUndefined()
})

test('a member from before there were auditors becomes one, and stays what it was', async () => {
  expect(await posted(certificate)).toEqual({ ...certificate, roles: ['seeder', 'auditor'] })
})
