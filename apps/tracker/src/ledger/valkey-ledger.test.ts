import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LedgerAwayError } from './errors.ts'
import { passkeyHash } from './passkey.ts'
import { lacksRedis, RedisServer } from './testing/redis-server.ts'
import { ledgerContract } from './testing/ledger-contract.ts'
import { ValkeyLedger } from './valkey-ledger.ts'

describe.skipIf(lacksRedis)('with redis-server', () => {
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

  it('does not start where it is not let in, and says why', async () => {
    for (const [end, reason] of [
      ['u:secret@', 'WRONGPASS'],
      ['', 'DB index'],
    ] as const) {
      const ledger = new ValkeyLedger(`redis://${end}127.0.0.1:${server.port}/${end === '' ? 99 : 0}`, Date.now)
      const opening = ledger.open()
      await expect(opening).rejects.toThrow(reason)
      await expect(opening).rejects.toMatchObject({ code: 'ledger_refused' })
      await expect(opening).rejects.not.toThrow('secret')
      await ledger.close()
    }
  })

  it('says that a server may speak no TLS', async () => {
    const ledger = new ValkeyLedger(server.url.replace('redis:', 'rediss:'), Date.now)
    await expect(ledger.find(1)).rejects.toThrow('write redis:// instead')
    await ledger.close()
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

  it('passes over what it cannot read, and says so to who asks for it', async () => {
    const ledger = await opened()
    const broken = await ledger.create('broken')
    const good = await ledger.create('good')
    const client = createClient({ url: server.url, RESP: 2 })
    await client.connect()
    for (const text of ['{', '{}', 'null', '{"hash":5,"label":"a","createdAt":1}']) {
      await client.hSet('{eldernode-tracker}:keys', String(broken.id), text)
      const { changes } = await ledger.changesSince(undefined)
      expect(changes.filter(({ kind }) => kind === 'key').slice(-2)).toEqual([
        { kind: 'key', id: broken.id, hash: '', isRevoked: true },
        { kind: 'key', id: good.id, hash: passkeyHash(good.passkey), isRevoked: false },
      ])
      await expect(ledger.find(broken.id)).rejects.toThrow(LedgerAwayError)
    }
    // Something else lies where the ledger should.
    await client.del('{eldernode-tracker}:changes')
    await client.set('{eldernode-tracker}:changes', 'x')
    await expect(ledger.changesSince(undefined)).rejects.toThrow(LedgerAwayError)
    await client.flushAll()
    client.destroy()
    await ledger.close()
  })
})
