import { BlockList, isIP } from 'node:net'
import { nodeIdSchema } from '@eldernode/core'
import { z } from 'zod'

/** An address or a CIDR range, such as `10.0.0.0/8` or `::1`. */
const isRange = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  return (
    isIP(address) !== 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && +prefix <= bits))
  )
}

const rangeExpected = 'an address or a CIDR range such as 10.0.0.0/8'

/** Every setting of the tracker: type, default and documentation. */
export const trackerSchema = z.object({
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
    .default(['127.0.0.0/8', '::1', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'])
    .describe(
      "Addresses of the network's own nodes: they may be in more torrents at once, and are neither slowed nor banned.",
    ),
  snapshot: z
    .string()
    .max(4096)
    .default('')
    .describe(
      'A file in which peers of HTTP and UDP outlive a restart; empty: they announce again within an interval.',
    ),
  network: z.object({
    owner: nodeIdSchema
      .meta({ expected: 'a public key of 43 base64url characters' })
      .optional()
      .describe('Public key of the network whose torrents are listed, and whose denials hold here; without it none.'),
    peers: z
      .array(z.url({ protocol: /^wss?$/ }).max(300))
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
  announce: z.object({
    intervalSeconds: z
      .int()
      .min(10)
      .max(86_400)
      .default(600)
      .describe('How often peers are told to announce. WebSocket peers are told a fifth of it.'),
  }),
  limits: z.object({
    swarms: z.int().min(1).default(1_000_000).describe('Most torrents known at once; further ones are refused.'),
    peersPerSwarm: z
      .int()
      .min(2)
      .default(100_000)
      .describe('Most peers known of one torrent; one that was not heard of for long gives way.'),
    peers: z.int().min(2).default(1_000_000).describe('Most peers known at once; no new torrent is taken beyond it.'),
    swarmsPerSocket: z
      .int()
      .min(1)
      .default(1000)
      .describe('Most torrents that one WebSocket connection may be in at once.'),
    swarmsPerMember: z.int().min(1).default(250_000).describe('The same for one of an address in `members`.'),
    requestsPerAddress: z
      .int()
      .min(0)
      .default(200)
      .describe('Most HTTP and UDP requests a second of one address (IPv6: one /64), over 10 seconds; 0 is no limit.'),
    sockets: z.int().min(1).default(10_000).describe('Most TCP connections at once, HTTP and WebSocket together.'),
    socketsPerAddress: z.int().min(1).default(500).describe('Most WebSocket connections of one address at once.'),
  }),
  log: z.object({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('The least severe messages that are logged.'),
  }),
})

export type TrackerSettings = z.infer<typeof trackerSchema>

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
