import { BlockList, isIP } from 'node:net'
import { nodeIdSchema } from '@eldernode/core'
import { z } from 'zod'
import { type Refuse, refuseSharedFiles, refuseVain } from './settings-together.ts'

/** An address or a CIDR range, such as `10.0.0.0/8` or `::1`. */
const isRange = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  return (
    isIP(address) !== 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && +prefix <= bits))
  )
}

const rangeExpected = 'an address or a CIDR range such as 10.0.0.0/8'

const databaseUrl = z
  .url({ protocol: /^rediss?$/ })
  .max(2000)
  .refine(
    (text) => URL.canParse(text) && /^\/?\d{0,4}$/.test(new URL(text).pathname),
    'expected a path such as /1: the number of a database',
  )

/** Taken on by a running tracker when it reads its settings again (SIGHUP). */
const hot = { hot: true }

/** More would not fit into memory, or into the numbers that count them. */
const mostPeers = 100_000_000
const mostRequests = 1_000_000

const settings = z.object({
  host: z
    .string()
    .refine((text) => isIP(text) !== 0, 'expected an IP address such as 0.0.0.0 or ::')
    .default('0.0.0.0')
    .meta({ expected: 'an IP address' })
    .describe('The address to listen on. 0.0.0.0 is all of IPv4; :: is IPv4 and IPv6 where the system has both.'),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .default(8000)
    .describe('The port of HTTP and WebSocket (TCP) and of UDP. 0 takes any free one.'),
  trustProxy: z
    .array(z.string().refine(isRange, `expected ${rangeExpected}`).meta({ expected: rangeExpected }))
    .max(64)
    .default([])
    .describe(
      'Reverse proxies whose X-Forwarded-For is believed. Everybody else is known by the address they call from.',
    ),
  members: z
    .array(z.string().refine(isRange, `expected ${rangeExpected}`).meta({ expected: rangeExpected }))
    .max(1024)
    .default(['127.0.0.0/8', '::1'])
    .describe(
      "Addresses of the network's own nodes: they may be in more torrents at once, and are neither slowed nor banned. No proxy may be among them.",
    )
    .meta(hot),
  snapshot: z
    .string()
    .max(4096)
    .default('')
    .describe(
      'A file in which peers of HTTP and UDP outlive a stop and start, though not a crash; empty: they announce again within an interval.',
    ),
  network: z.object({
    owner: nodeIdSchema
      .meta({ expected: 'a public key of 43 base64url characters' })
      .optional()
      .describe('Public key of the network whose torrents are listed, and whose denials hold here; without it none.'),
    peers: z
      .array(
        z
          .url({ protocol: /^wss?$/ })
          .max(300)
          .meta({ expected: 'a ws:// or wss:// URL' }),
      )
      .max(64)
      .default([])
      .describe('Graph URLs of its nodes (wss://host/gun) that are always dialled.'),
    folder: z
      .string()
      .min(1)
      .max(4096)
      .default('/var/lib/eldernode-tracker')
      .describe("Folder of this tracker's key and of what it learned; not used without `network.owner`."),
    open: z
      .boolean()
      .default(false)
      .describe('Believe every node without a certificate, where its nodes do. For experiments only.'),
    allowPrivate: z
      .boolean()
      .default(false)
      .describe('Connect to private and loopback addresses that other nodes name. For a network in one house.'),
  }),
  access: z.object({
    mode: z
      .enum(['open', 'listed', 'private'])
      .default('open')
      .describe('Who is served: everybody and all torrents, listed torrents only, or who has a passkey only.'),
    allow: z
      .string()
      .max(4096)
      .default('')
      .describe('A file of infohashes that are served in mode listed, 40 hex digits a line. Read again on SIGHUP.')
      .meta(hot),
    deny: z
      .string()
      .max(4096)
      .default('')
      .describe('A file of infohashes that are not served in any mode. Read again on SIGHUP.')
      .meta(hot),
  }),
  ledger: z.object({
    file: z
      .string()
      .max(4096)
      .default('')
      .describe(
        'A file in which passkeys and their totals, and lists and bans of the admin API, are kept. Not used with `cluster.valkey`.',
      ),
  }),
  admin: z.object({
    tokenFile: z
      .string()
      .max(4096)
      .default('')
      .describe(
        'A file with the token of the admin API and of /stats, which is made if it is not there; empty: there are no such doors.',
      ),
  }),
  announce: z.object({
    intervalSeconds: z
      .int()
      .min(10)
      .max(86_400)
      .default(600)
      .describe('How often peers are told to announce. WebSocket peers are told a fifth of it.'),
  }),
  limits: z.object({
    swarms: z
      .int()
      .min(1)
      .max(mostPeers)
      .default(1_000_000)
      .describe('Most torrents known at once; for a further one, one that a single address announces gives way.'),
    peersPerSwarm: z
      .int()
      .min(2)
      .max(mostPeers)
      .default(100_000)
      .describe('Most peers known of one torrent; one that was not heard of for long gives way.')
      .meta(hot),
    peers: z
      .int()
      .min(2)
      .max(mostPeers)
      .default(1_000_000)
      .describe('Most peers known at once; for a further one, a torrent that a single address announces gives way.'),
    peersPerKey: z
      .int()
      .min(1)
      .max(mostPeers)
      .default(10_000)
      .describe('Most peers of one passkey at once, each torrent of each client being one.')
      .meta(hot),
    peerBytesPerSecond: z
      .int()
      .min(1)
      .default(125_000_000)
      .describe('Most that one peer is believed to give, and to take, in the totals of its passkey.')
      .meta(hot),
    swarmsPerSocket: z
      .int()
      .min(1)
      .max(mostPeers)
      .default(1000)
      .describe('Most torrents that one WebSocket connection may be in at once.')
      .meta(hot),
    swarmsPerMember: z
      .int()
      .min(1)
      .max(mostPeers)
      .default(250_000)
      .describe('The same for one of an address in `members`.')
      .meta(hot),
    requestsPerAddress: z
      .int()
      .min(0)
      .max(mostRequests)
      .default(200)
      .describe(
        'Most HTTP and UDP requests a second of one address (IPv6: one /64), over 10 seconds; a twentieth of it new torrents, over 100 seconds; 0 is no limit.',
      )
      .meta(hot),
    sockets: z
      .int()
      .min(1)
      .max(mostRequests)
      .default(10_000)
      .describe(
        'Most TCP connections at once, HTTP and WebSocket together; beyond it the HTTP one that is idle for longest gives way.',
      )
      .meta(hot),
    socketsPerAddress: z
      .int()
      .min(1)
      .max(mostRequests)
      .default(500)
      .describe('Most TCP connections of one address (IPv6: one /64) at once, HTTP and WebSocket together.')
      .meta(hot),
    messagesPerSocket: z
      .int()
      .min(0)
      .max(mostRequests)
      .default(100)
      .describe(
        'Most messages a second of one WebSocket connection, over 10 seconds, and a tenth of those of one address; further ones wait in the network. 0 is no limit.',
      )
      .meta(hot),
    banSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(600)
      .describe('How long everything is refused of an address that goes on sending what must be refused.')
      .meta(hot),
  }),
  cluster: z.object({
    valkey: z
      .union([z.literal(''), databaseUrl])
      .default('')
      .meta({ expected: 'a URL such as redis://user:password@host:6379', secret: true })
      .describe('A Valkey or Redis server that keeps the ledger of several machines; empty: there is one machine.'),
    workers: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe(
        'Processes that share the work, each of which keeps a part of the torrents; limits count for each of them. 1 is this very process.',
      ),
  }),
  log: z.object({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('The least severe messages that are logged.')
      .meta(hot),
  }),
})

export type TrackerSettings = z.infer<typeof settings>

/** Every setting of the tracker: type, default and documentation. */
export const trackerSchema = settings.superRefine((values, context) => {
  const refuse: Refuse = (key, message) => context.addIssue({ code: 'custom', path: key.split('.'), message })
  refuseSharedFiles(values, refuse)
  refuseVain(values, refuse)
})

/** The proxies of `trustProxy`, for look-up. */
export const rangesOf = (ranges: readonly string[]): BlockList => {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return list
}
