import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { LedgerAwayError, LedgerFullError } from './errors.ts'
import { mostBans, mostKeys, mostListed, remembranceMs, sourceMs } from './limits.ts'
import { newPasskey, passkeyHash } from './passkey.ts'
import type {
  Ban,
  Change,
  Changes,
  Key,
  Ledger,
  ListName,
  NewKey,
  Page,
  PageRequest,
  Position,
  TotalsBatch,
} from './port.ts'
import { ValkeyConnection } from './valkey-connection.ts'
import {
  banScript,
  banPageScript,
  changesScript,
  createScript,
  findScript,
  listPageScript,
  listScript,
  pageScript,
  revokeScript,
  sourceKey,
  totalsScript,
} from './valkey-scripts.ts'

/** What lies in the server could have been written by anybody who has its password. */
const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue('is not JSON')
    return z.NEVER
  }
})
const record = json.pipe(z.object({ hash: z.string().length(43), label: z.string(), createdAt: z.number() }))
const number = z
  .string()
  .nullable()
  .transform((text) => Number(text ?? 0))
const keyId = z.coerce.number().pipe(z.int())
const keyRow = z.tuple([keyId, record, z.string().nullable(), number, number])
const isSet = z.int().transform((flag) => flag === 1)
const changeRow = z.tuple([z.enum(['key', 'allowed', 'denied', 'ban']), z.string(), z.string(), z.string()])
const heard = z.tuple([z.string(), z.coerce.number(), isSet, isSet, z.array(changeRow)])

/** The ledger of several machines: one Valkey or Redis server. It is as durable as that server makes it. */
export class ValkeyLedger implements Ledger {
  readonly #url: string
  readonly #connection: ValkeyConnection
  readonly #now: () => number

  /**
   * @param url `redis://` or `rediss://`, with user and password where the server asks for them
   * @param now milliseconds since 1970
   * @param answerMs a server that takes longer is away: its connection is thrown away, and another one tried
   */
  constructor(url: string, now: () => number, answerMs = 5000) {
    this.#url = url
    this.#connection = new ValkeyConnection(url, answerMs)
    this.#now = now
  }

  /** Resolves though the server is away: it is asked again with each call. @throws LedgerRefusedError */
  async open(): Promise<void> {
    await this.#connection.open()
  }

  async create(label: string): Promise<NewKey> {
    const createdAt = this.#now()
    const passkey = newPasskey()
    const text = JSON.stringify({ label, createdAt, hash: passkeyHash(passkey) })
    const id = this.#read(z.int(), await this.#run(createScript, [text, this.#before]))
    if (id === 0) throw new LedgerFullError('keys', mostKeys)
    return { id, label, createdAt, uploaded: 0, downloaded: 0, passkey }
  }

  async revoke(id: number): Promise<boolean> {
    return (await this.#run(revokeScript, [id, this.#now(), this.#before])) === 1
  }

  async find(id: number): Promise<Key | undefined> {
    const row = await this.#run(findScript, [id])
    return row === null ? undefined : keyOf(this.#read(keyRow, row))
  }

  async keys({ after, limit }: PageRequest): Promise<Page<Key>> {
    const rows = this.#read(z.array(keyRow), await this.#run(pageScript, [after ?? 0, limit + 1]))
    const next = rows.length > limit ? rows[limit - 1]?.[0] : undefined
    return { items: rows.slice(0, limit).map(keyOf), ...(next !== undefined && { next: String(next) }) }
  }

  async setListed(list: ListName, infoHashes: readonly string[], isListed: boolean): Promise<void> {
    const args = [list, isListed ? 1 : 0, this.#now(), this.#before, ...infoHashes]
    if ((await this.#run(listScript, args)) === 0) throw new LedgerFullError('infohashes', mostListed)
  }

  async listed(list: ListName, { after, limit }: PageRequest): Promise<Page<string>> {
    const from = after === undefined ? '-' : `(${after}`
    const names = this.#read(z.array(z.string()), await this.#run(listPageScript, [list, from, limit + 1]))
    const next = names.length > limit ? names[limit - 1] : undefined
    return { items: names.slice(0, limit), ...(next !== undefined && { next }) }
  }

  async ban(bans: readonly Ban[]): Promise<void> {
    const pairs = bans.flatMap(({ network, until }) => [network, until])
    for (let at = 0; at < pairs.length; at += mostAtOnce)
      await this.#run(banScript, [this.#now(), this.#before, ...pairs.slice(at, at + mostAtOnce)])
  }

  async bans({ after = '', limit }: PageRequest): Promise<Page<Ban>> {
    const flat = this.#read(z.array(z.string()).max(2 * mostBans), await this.#run(banPageScript, [this.#now()]))
    const all = flat.flatMap((network, i) => (i % 2 === 0 ? [{ network, until: Number(flat[i + 1]) }] : []))
    const items = all
      .filter(({ network }) => network > after)
      .sort((a, b) => (a.network < b.network ? -1 : 1))
      .slice(0, limit + 1)
    const next = items.length > limit ? items[limit - 1]?.network : undefined
    return { items: items.slice(0, limit), ...(next !== undefined && { next }) }
  }

  async changesSince(position: Position | undefined): Promise<Changes> {
    const { epoch = '', sequence = 0 } = position ?? {}
    const fresh = randomBytes(12).toString('base64url')
    const answer = this.#read(heard, await this.#run(changesScript, [fresh, epoch, sequence]))
    const [found, last, isFresh, hasMore, rows] = answer
    const changes = rows.map((row) => this.#changeOf(row))
    return { changes, position: { epoch: found, sequence: last }, isFresh, hasMore }
  }

  async addTotals({ source, number: batch, totals }: TotalsBatch): Promise<void> {
    const args = totals.flatMap(({ id, uploaded, downloaded }) => [id, uploaded, downloaded])
    await this.#run(totalsScript, [batch, sourceMs, ...args], sourceKey(source))
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  /** What went before that is forgotten. */
  get #before(): number {
    return this.#now() - remembranceMs
  }

  async #run(script: string, args: readonly (string | number)[], ...keys: string[]): Promise<unknown> {
    return await this.#connection.run(script, args, ...keys)
  }

  #changeOf([kind, name, text, flag]: z.output<typeof changeRow>): Change {
    if (kind === 'ban') return { kind, network: name, until: Number(text) }
    if (kind !== 'key') return { kind, infoHash: name, isListed: text !== '' }
    const read = record.safeParse(text)
    // A record that cannot be read lets nobody in, and keeps nobody else out.
    const { hash, isRevoked } = read.success ? { hash: read.data.hash, isRevoked: flag === '1' } : unreadable
    return { kind, id: this.#read(keyId, name), hash, isRevoked }
  }

  #read<T>(schema: z.ZodType<T>, value: unknown): T {
    const read = schema.safeParse(value)
    if (read.success) return read.data
    throw new LedgerAwayError(new URL(this.#url).host, { cause: read.error })
  }
}

const unreadable = { hash: '', isRevoked: true }

/** Arguments of one script: Lua unpacks a few thousand. Even, for they are pairs. */
const mostAtOnce = 4000

const keyOf = ([id, { label, createdAt }, revokedAt, uploaded, downloaded]: z.output<typeof keyRow>): Key => ({
  id,
  label,
  createdAt,
  ...(revokedAt !== null && { revokedAt: Number(revokedAt) }),
  uploaded,
  downloaded,
})
