import { createClient } from '@redis/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RedisServer } from './testing/redis-server.ts'
import { ledgerContract } from './testing/ledger-contract.ts'
import { ValkeyLedger } from './valkey-ledger.ts'

let server: RedisServer

beforeAll(async () => {
  server = await RedisServer.start()
})

afterAll(async () => {
  await server.close()
})

const flush = async (): Promise<void> => {
  const client = createClient({ url: server.url })
  await client.connect()
  await client.flushAll()
  client.destroy()
}

const opened = async (now = Date.now): Promise<ValkeyLedger> => {
  const ledger = new ValkeyLedger(server.url, now)
  await ledger.open()
  return ledger
}

ledgerContract('ValkeyLedger', async (now) => {
  await flush()
  return { open: () => opened(now), wipe: flush, close: flush }
})

it('stores no passkey', async () => {
  const ledger = await opened()
  const { passkey } = await ledger.create('a')
  const client = createClient({ url: server.url, RESP: 2 })
  await client.connect()
  const stored: unknown[] = []
  for (const key of await client.keys('*')) stored.push(key, await client.dump(key))
  expect(stored.length).toBeGreaterThan(4)
  expect(JSON.stringify(stored)).not.toContain(passkey)
  client.destroy()
  await ledger.close()
})
