import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Change, type Ledger, passkeyHash, perBatch, type Position } from '../index.ts'

/** One store, as several machines or processes see it. */
export interface LedgerPlace {
  /** Another view of the same store. */
  open(): Promise<Ledger>
  /** Makes the store forget everything, as one that was set up anew. */
  wipe(): Promise<void>
  close(): Promise<void>
}

const day = 86_400_000

/** What every ledger has to do. `make` gives an empty place whose clock is `now`. */
export const ledgerContract = (name: string, make: (now: () => number) => Promise<LedgerPlace>): void => {
  describe(`${name} keeps the contract of ledgers`, () => {
    let place: LedgerPlace
    let ledger: Ledger
    let other: Ledger
    let now: number

    beforeEach(async () => {
      now = 1_800_000_000_000
      place = await make(() => now)
      ledger = await place.open()
      other = await place.open()
    })

    afterEach(async () => {
      await ledger.close()
      await other.close()
      await place.close()
    })

    const everything = async (
      from?: Position,
    ): Promise<{ changes: Change[]; position: Position; fresh: boolean[] }> => {
      const changes: Change[] = []
      const fresh: boolean[] = []
      let position = from
      for (;;) {
        const heard = await other.changesSince(position)
        changes.push(...heard.changes)
        fresh.push(heard.isFresh)
        position = heard.position
        if (!heard.hasMore) return { changes, position, fresh }
      }
    }

    it('tells a passkey once, and keeps nothing but its hash', async () => {
      const { passkey, ...key } = await ledger.create('alice ☂ "x"')
      expect(passkey).toMatch(/^[\w-]{32}$/)
      expect(key).toEqual({ id: key.id, label: 'alice ☂ "x"', createdAt: now, uploaded: 0, downloaded: 0 })
      expect(key.id).toBe(1)
      expect(await other.find(key.id)).toEqual(key)
      expect(await other.keys({ limit: 10 })).toEqual({ items: [key] })
      const { changes } = await everything()
      expect(changes).toEqual([{ kind: 'key', id: key.id, hash: passkeyHash(passkey), isRevoked: false }])
      expect(JSON.stringify([changes, await other.keys({ limit: 10 })])).not.toContain(passkey)
    })

    it('revokes a key once, for all, and knows none that was never made', async () => {
      const { id } = await ledger.create('a')
      const { position } = await everything()
      now += 5
      expect(await ledger.revoke(id)).toBe(true)
      now += 5
      expect(await other.revoke(id)).toBe(true)
      expect(await ledger.revoke(99)).toBe(false)
      expect(await ledger.find(99)).toBeUndefined()
      expect(await other.find(id)).toMatchObject({ revokedAt: now - 5 })
      const later = await everything(position)
      expect(later.changes).toMatchObject([{ kind: 'key', id, isRevoked: true }])
      expect((await everything(later.position)).changes).toEqual([])
    })

    it('forgets revoked keys and what left the lists after 30 days', async () => {
      const { id } = await ledger.create('old')
      await ledger.setListed('denied', ['d'.repeat(40)], true)
      await ledger.revoke(id)
      await ledger.setListed('denied', ['d'.repeat(40)], false)
      now += 29 * day
      await ledger.create('x')
      expect(await ledger.find(id)).toBeDefined()
      now += 2 * day
      await ledger.create('y')
      expect(await ledger.find(id)).toBeUndefined()
      expect((await other.create('z')).id).toBe(4)
      expect((await everything()).changes).toMatchObject([{ id: 2 }, { id: 3 }, { id: 4 }])
    })

    it('gives keys in pages, oldest first', async () => {
      for (const label of ['a', 'b', 'c', 'd', 'e']) await ledger.create(label)
      const first = await other.keys({ limit: 2 })
      const second = await other.keys({ limit: 2, after: first.next! })
      const third = await other.keys({ limit: 2, after: second.next! })
      expect([first, second, third].map(({ items }) => items.map(({ label }) => label))).toEqual([
        ['a', 'b'],
        ['c', 'd'],
        ['e'],
      ])
      expect(third.next).toBeUndefined()
      expect((await other.keys({ limit: 5 })).next).toBeUndefined()
    })

    it('keeps lists of infohashes', async () => {
      const [one, two] = ['1'.repeat(40), '2'.repeat(40)]
      await ledger.setListed('allowed', [two], true)
      await ledger.setListed('allowed', [one], true)
      await ledger.setListed('denied', [two], true)
      expect(await other.listed('allowed', { limit: 10 })).toEqual({ items: [one, two] })
      expect(await other.listed('allowed', { limit: 1 })).toEqual({ items: [one], next: one })
      expect(await other.listed('allowed', { limit: 1, after: one })).toEqual({ items: [two] })
      const { position } = await everything()
      // What changes nothing is told to nobody.
      await ledger.setListed('denied', [two], true)
      await ledger.setListed('denied', [one], false)
      expect((await everything(position)).changes).toEqual([])
      await ledger.setListed('denied', [two], false)
      await ledger.setListed('denied', [one], true)
      expect(await other.listed('denied', { limit: 10 })).toEqual({ items: [one] })
      expect((await everything(position)).changes).toEqual([
        { kind: 'denied', infoHash: two, isListed: false },
        { kind: 'denied', infoHash: one, isListed: true },
      ])
    })

    it('keeps bans until they end or are lifted', async () => {
      const [one, two] = ['192.0.2.1', '2001:db8::/64']
      await ledger.ban([
        { network: one, until: now + 1000 },
        { network: two, until: now + 9000 },
        { network: '192.0.2.9', until: now },
      ])
      expect(await other.bans({ limit: 10 })).toEqual({
        items: [
          { network: one, until: now + 1000 },
          { network: two, until: now + 9000 },
        ],
      })
      const { changes, position } = await everything()
      expect(changes.map((change) => change.kind === 'ban' && change.network)).toEqual([one, two])
      now += 1000
      expect((await other.bans({ limit: 10 })).items).toEqual([{ network: two, until: now + 8000 }])
      await other.ban([{ network: two, until: 0 }])
      expect((await ledger.bans({ limit: 10 })).items).toEqual([])
      const lifted = await everything(position)
      expect(lifted.changes).toEqual([{ kind: 'ban', network: two, until: 0 }])
      // Who made one that the ledger does not know of hears that it is lifted.
      await other.ban([{ network: '192.0.2.3', until: 0 }])
      expect((await everything(lifted.position)).changes).toEqual([{ kind: 'ban', network: '192.0.2.3', until: 0 }])
    })

    it('keeps 10,000 bans at once', async () => {
      const many = (count: number, hour: number) =>
        Array.from({ length: count }, (_, i) => ({ network: `10.${hour}.${i >> 8}.${i & 255}`, until: now + 1000 }))
      await ledger.ban(many(10_000, 1))
      await ledger.ban(many(1, 2))
      const isThere = async () => (await other.bans({ limit: 1, after: '10.1.99.99' })).items
      expect(await isThere()).toEqual([])
      now += 2000
      await ledger.ban(many(1, 2))
      expect(await isThere()).toEqual(many(1, 2))
    })

    it('adds totals of each batch once, to keys that it has, and not beyond what a number can be', async () => {
      const { id } = await ledger.create('a')
      const totals = [
        { id, uploaded: 2 ** 40, downloaded: 7 },
        { id: 99, uploaded: 1, downloaded: 1 },
      ]
      await ledger.addTotals({ source: 's', number: 1, totals })
      await other.addTotals({ source: 's', number: 1, totals })
      await other.addTotals({ source: 't', number: 1, totals })
      expect(await ledger.find(id)).toMatchObject({ uploaded: 2 ** 41, downloaded: 14 })
      const most = Number.MAX_SAFE_INTEGER
      for (let number = 2; number < 4; number++)
        await ledger.addTotals({ source: 's', number, totals: [{ id, uploaded: most, downloaded: 1 }] })
      expect(await ledger.find(id)).toMatchObject({ uploaded: most, downloaded: 16 })
      const { items } = await ledger.keys({ limit: 10 })
      expect(items).toMatchObject([{ uploaded: most, downloaded: 16 }])
      expect((await everything()).changes).toHaveLength(1)
    })

    it('tells all in pages of one batch, and each thing as it is now', async () => {
      await ledger.setListed('denied', ['e'.repeat(40)], true)
      const hashes = Array.from({ length: perBatch }, (_, i) => i.toString(16).padStart(40, '0'))
      await ledger.setListed('allowed', hashes, true)
      const { id } = await ledger.create('last')
      await ledger.revoke(id)
      const { changes, position, fresh } = await everything()
      expect(fresh).toEqual([true, false])
      expect(changes).toHaveLength(perBatch + 2)
      expect(changes.at(0)).toEqual({ kind: 'denied', infoHash: 'e'.repeat(40), isListed: true })
      expect(changes.at(-1)).toMatchObject({ kind: 'key', isRevoked: true })
      expect(await everything(position)).toEqual({ changes: [], position, fresh: [false] })
    })

    it('loses no change that is made while another is heard', async () => {
      const made: number[] = []
      const heard = new Set<number>()
      let isMaking = true
      const making = (async () => {
        for (let round = 0; round < 5; round++) {
          const keys = await Promise.all([ledger.create('x'), other.create('y'), ledger.create('z')])
          made.push(...keys.map(({ id }) => id))
        }
        isMaking = false
      })()
      let position: Position | undefined
      for (let isLast = false; !isLast;) {
        isLast = !isMaking
        const { changes, position: next } = await other.changesSince(position)
        for (const change of changes) if (change.kind === 'key') heard.add(change.id)
        position = next
      }
      await making
      expect(heard).toEqual(new Set(made))
      expect(heard.size).toBe(15)
    })

    it('begins anew for who heard another ledger, or more than it knows', async () => {
      await ledger.create('gone')
      await ledger.create('gone too')
      const { position } = await everything()
      expect((await everything({ ...position, sequence: position.sequence + 1 })).fresh).toEqual([true])
      expect((await everything({ ...position, sequence: position.sequence - 1 })).changes).toHaveLength(1)
      await ledger.close()
      await other.close()
      await place.wipe()
      ledger = await place.open()
      other = await place.open()
      const { id } = await ledger.create('a')
      const later = await everything(position)
      expect(later.fresh).toEqual([true])
      expect(later.changes).toMatchObject([{ id }])
    })

    it('keeps everything when it is closed', async () => {
      const { id } = await ledger.create('kept')
      await ledger.addTotals({ source: 's', number: 1, totals: [{ id, uploaded: 3, downloaded: 4 }] })
      const before = await everything()
      await ledger.close()
      await other.close()
      ledger = await place.open()
      other = await place.open()
      expect(await ledger.find(id)).toMatchObject({ label: 'kept', uploaded: 3, downloaded: 4 })
      expect(await everything(before.position)).toEqual({ changes: [], position: before.position, fresh: [false] })
    })
  })
}
