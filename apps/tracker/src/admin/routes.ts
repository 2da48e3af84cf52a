import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { z } from 'zod'
import type { Ledger, ListName, NewKey, Key, PageRequest } from '../ledger/index.ts'
import { read, readBody } from './body.ts'
import { KeyNotFoundError, NoLedgerError } from './errors.ts'
import type { Stats } from './stats.ts'

export interface RouteParts {
  ledger: Ledger | undefined
  /** Resolves when this tracker has heard what the ledger knows now, and told it of its bans. */
  catchUp: () => Promise<void>
  stats: () => Promise<Stats>
  /** The address or /64 that is banned with an address; undefined when it is none, or a member's. */
  networkOf: (address: string) => string | undefined
  /** Milliseconds since 1970. */
  clock: () => number
  /** Tells the log of a change. */
  note: (change: string, about: Readonly<Record<string, unknown>>) => void
}

export interface Asked {
  request: IncomingMessage
  query: URLSearchParams
  /** What stands in the path for each `{}`. */
  parts: readonly string[]
}

export interface Answer {
  status: number
  body?: unknown
  location?: string
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With `{}` for each part that is asked about. */
  path: string
  answer: (asked: Asked) => Promise<Answer>
}

const label = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .refine((text) => !/\p{Cc}/u.test(text), 'has control characters')
const newKey = z.strictObject({ label })
const infoHash = z
  .string()
  .regex(/^[0-9a-fA-F]{40}$/, 'expected an infohash of 40 hex digits')
  .transform((text) => text.toLowerCase())
const infoHashes = z.strictObject({ infoHashes: z.array(infoHash).min(1).max(1000) })
const newBan = z.strictObject({ seconds: z.int().min(1).max(31_536_000) })
const keyId = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'expected a number such as 1')
  .transform(Number)
  .pipe(z.int().max(0x7fff_ffff))
const limit = z
  .string()
  .regex(/^\d{1,4}$/, 'expected a number from 1 to 1000')
  .transform(Number)
  .pipe(z.int().min(1).max(1000))
  .default(100)
const keyPage = z.object({
  after: z
    .string()
    .regex(/^\d{1,10}$/, 'expected what `next` was')
    .optional(),
  limit,
})
const listPage = z.object({ after: infoHash.optional(), limit })
const banPage = z.object({ after: z.string().max(64).optional(), limit })

/** What the admin API can do, one route each. */
export const routesOf = (parts: RouteParts): Route[] => {
  const { catchUp, note } = parts
  const ledger = (): Ledger => {
    if (parts.ledger === undefined) throw new NoLedgerError()
    return parts.ledger
  }
  const keyOf = ([text]: readonly string[]): number => read(keyId, text, 'The id of the key')

  const listRoutes = (list: ListName): Route[] => {
    const change = async (hashes: readonly string[], isListed: boolean): Promise<Answer> => {
      await ledger().setListed(list, hashes, isListed)
      await catchUp()
      note(`${isListed ? 'put on' : 'taken off'} the ${list} list`, {
        infoHashes: hashes.slice(0, 10),
        count: hashes.length,
      })
      return { status: 204 }
    }
    const one = `/v1/${list}/{}`
    const all = `/v1/${list}`
    return [
      {
        method: 'GET',
        path: all,
        answer: async ({ query }) => {
          const { items, ...rest } = await ledger().listed(list, pageOf(listPage, query))
          return { status: 200, body: { infoHashes: items, ...rest } }
        },
      },
      {
        method: 'POST',
        path: all,
        answer: async ({ request }) => await change((await readBody(request, infoHashes)).infoHashes, true),
      },
      { method: 'PUT', path: one, answer: async ({ parts: [text] }) => await change([hashOf(text)], true) },
      { method: 'DELETE', path: one, answer: async ({ parts: [text] }) => await change([hashOf(text)], false) },
    ]
  }

  const networkOf = ([text = '']: readonly string[]): string => {
    const network = parts.networkOf(text)
    const isAddress = isIP(text.replace(/\/64$/, '')) !== 0
    const expected = isAddress ? 'a member is never banned' : 'expected an IP address, or an IPv6 /64'
    return read(z.string(expected), network, 'The address')
  }
  const ban = async (network: string, until: number): Promise<void> => {
    // One that was made a moment ago must not come after this.
    await catchUp()
    await ledger().ban([{ network, until }])
    await catchUp()
    note(until === 0 ? 'a ban was lifted' : 'an address was banned', { network, until })
  }

  return [
    { method: 'GET', path: '/stats', answer: async () => ({ status: 200, body: await parts.stats() }) },
    {
      method: 'GET',
      path: '/v1/keys',
      answer: async ({ query }) => {
        const { items, ...rest } = await ledger().keys(pageOf(keyPage, query))
        return { status: 200, body: { keys: items.map(keyView), ...rest } }
      },
    },
    {
      method: 'POST',
      path: '/v1/keys',
      answer: async ({ request }) => {
        const made = await ledger().create((await readBody(request, newKey)).label)
        await catchUp()
        note('a key was made', { key: made.id, label: made.label })
        return { status: 201, body: newKeyView(made), location: `/v1/keys/${made.id}` }
      },
    },
    {
      method: 'GET',
      path: '/v1/keys/{}',
      answer: async ({ parts: path }) => {
        const id = keyOf(path)
        const key = await ledger().find(id)
        if (key === undefined) throw new KeyNotFoundError(id)
        return { status: 200, body: keyView(key) }
      },
    },
    {
      method: 'DELETE',
      path: '/v1/keys/{}',
      answer: async ({ parts: path }) => {
        const id = keyOf(path)
        const key = await ledger().find(id)
        if (key === undefined || !(await ledger().revoke(id))) throw new KeyNotFoundError(id)
        await catchUp()
        if (key.revokedAt === undefined) note('a key was revoked', { key: id })
        return { status: 204 }
      },
    },
    ...listRoutes('allowed'),
    ...listRoutes('denied'),
    {
      method: 'GET',
      path: '/v1/bans',
      answer: async ({ query }) => {
        const known = ledger()
        await catchUp()
        const { items, ...rest } = await known.bans(pageOf(banPage, query))
        return { status: 200, body: { bans: items.map((one) => ({ ...one, until: iso(one.until) })), ...rest } }
      },
    },
    {
      method: 'PUT',
      path: '/v1/bans/{}',
      answer: async ({ request, parts: path }) => {
        const network = networkOf(path)
        const { seconds } = await readBody(request, newBan)
        const until = parts.clock() + seconds * 1000
        await ban(network, until)
        return { status: 200, body: { network, until: iso(until) } }
      },
    },
    {
      method: 'DELETE',
      path: '/v1/bans/{}',
      answer: async ({ parts: path }) => {
        await ban(networkOf(path), 0)
        return { status: 204 }
      },
    },
  ]
}

const hashOf = (text: string | undefined): string => read(infoHash, text, 'The infohash')

const pageOf = <T extends PageRequest>(schema: z.ZodType<T>, query: URLSearchParams): T =>
  read(schema, Object.fromEntries(query), 'The query')

const iso = (at: number): string => new Date(at).toISOString()

const keyView = ({ createdAt, revokedAt, ...key }: Key): object => ({
  ...key,
  createdAt: iso(createdAt),
  ...(revokedAt !== undefined && { revokedAt: iso(revokedAt) }),
})

/** The only answer with a passkey in it. */
const newKeyView = ({ passkey, ...key }: NewKey): object => ({
  ...keyView(key),
  passkey,
  announce: `/${passkey}/announce`,
})
