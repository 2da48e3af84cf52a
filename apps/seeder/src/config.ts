import { nodeIdSchema, shardsOf } from '@eldernode/core'
import { z } from 'zod'
import { policySettings, readsSettings, repairSettings } from './policy/index.ts'
import { isIceServer } from './swarm/index.ts'

const port = z.int().min(0).max(65535)
const trackerUrl = z
  .url({ protocol: /^(https?|wss?|udp)$/ })
  .max(300)
  .superRefine((url, context) => {
    try {
      shardsOf(url)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })
const iceServers = 'stun:host:port or turn:user:password@host:port, over UDP without TLS'
const label = z.string().max(64)
/** Settings that a running node takes from the file when it gets SIGHUP. */
const hot = { hot: true }
const rate = (what: string) => z.int().min(0).max(100_000_000_000).default(0).describe(what).meta(hot)
const most = (max: number, standard: number, what: string) =>
  z.int().min(1).max(max).default(standard).describe(what).meta(hot)
const perSecond = (standard: number, what: string) =>
  z.int().min(0).max(1_000_000).default(standard).describe(what).meta(hot)
const quota = (what: string) => z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(0).describe(what).meta(hot)
const bytes = (standard: number, what: string) => z.int().min(1).default(standard).describe(what)
const clock = (standard: string, what: string) =>
  z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
    .meta({ expected: 'a time such as 08:30' })
    .default(standard)
    .describe(what)
    .meta(hot)

/** An origin as browsers send it (RFC 6454): nothing after the host and port, and no port that goes without saying. */
function isOrigin(text: string): boolean {
  return text === '*' || (/^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text)
}

const program = (name: string, what: string) =>
  z.string().max(1000).default(name).describe(`Name or path of the program that ${what}; empty is none.`)

/** Every setting of the seeder: type, default and what it does. */
export const configSchema = z.object({
  data: z.string().min(1).default('./data').describe('Folder of the keys, the catalog and the stored files.'),
  http: z.object({
    host: z.string().min(1).max(253).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 is all of IPv4.'),
    port: port.default(8765).describe('TCP port of the HTTP API, the web seed and the graph; 0 picks a free one.'),
    publicUrl: z
      .url({ protocol: /^https?$/ })
      .max(200)
      .optional()
      .describe('Base URL by which others reach this API, without it http://<host>:<port>.'),
    maxUploadBytes: bytes(64 * 2 ** 30, 'Largest item that may be published, in bytes.'),
    stallSeconds: z
      .int()
      .min(1)
      .max(3600)
      .default(30)
      .describe('A client that sends or takes nothing for so many seconds is cut off.'),
    trustedProxies: z
      .array(
        z
          .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])
          .refine((block) => !block.endsWith('/0'), 'must not be everybody')
          .meta({ expected: 'an address, or a CIDR block such as 10.0.0.0/8' }),
      )
      .max(64)
      .default([])
      .describe('Addresses or CIDR blocks of proxies in front of this node, whose X-Forwarded-For is believed.'),
  }),
  swarm: z.object({
    host: z.string().min(1).max(253).optional().describe('Address to listen on for peers, without it http.host.'),
    port: port.default(6881).describe('TCP port for BitTorrent peers; 0 picks a free one at each start.'),
    address: z
      .string()
      .max(300)
      .regex(/^\S+:\d{1,5}$/)
      .meta({ expected: 'host:port' })
      .optional()
      .describe('host:port by which peers reach this node, without it the host of http.publicUrl and swarm.port.'),
    trackers: z
      .array(trackerUrl)
      .max(20)
      // They travel in every manifest, which has 8 KB for everything.
      .refine((urls) => urls.join('').length <= 3000, 'must be at most 3,000 characters together')
      .default([])
      .describe(
        'Announce URLs (http, https, udp, ws, wss). {4} in one, as in wss://tracker.example/announce/{4}, stands for the number of one of the four shards that the tracker has.',
      ),
    iceServers: z
      .array(z.string().max(300).refine(isIceServer, `expected ${iceServers}`).meta({ expected: iceServers }))
      .max(8)
      .default([])
      .describe('STUN and TURN servers for WebRTC, such as stun:host:3478 or turn:user:password@host:3478.')
      .meta({ secret: true }),
    uploadLimit: rate('Most bytes per second sent to peers and web seed clients, over all items; 0 is no limit.'),
    downloadLimit: rate('Most bytes per second fetched from peers and web seeds, over all items; 0 is no limit.'),
    itemUploadLimit: rate('Most bytes per second sent of one item, unless it has a limit of its own; 0 is no limit.'),
    itemDownloadLimit: rate('Most bytes per second fetched of one item, unless it has its own; 0 is no limit.'),
    alternative: z
      .object({
        days: z
          .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
          .max(7)
          .default([])
          .describe('Days on which the two limits below replace the limits over all items; none is never.')
          .meta(hot),
        from: clock('08:00', 'Local time at which the alternative limits begin.'),
        to: clock(
          '18:00',
          'Local time at which they end; on the next day when it is not after swarm.alternative.from.',
        ),
        uploadLimit: rate('swarm.uploadLimit in that time.'),
        downloadLimit: rate('swarm.downloadLimit in that time.'),
      })
      .prefault({}),
    maxConns: most(
      65_535,
      1000,
      'Most TCP connections of peers at a time, over all items; those that a fetch makes come on top.',
    ),
    maxConnsPerItem: most(65_535, 55, 'Most connections to peers at a time of one item, TCP and WebRTC together.'),
    maxChannels: most(10_000, 400, 'Most WebRTC connections at a time, over all items, open or being made.'),
    maxNegotiating: most(10_000, 100, 'Most WebRTC connections being made at a time; offers beyond it are dropped.'),
    maxActive: most(100_000, 500, 'Most items awake at a time; the one unused for longest goes to sleep first.'),
    idleAfter: most(86_400, 120, 'Seconds after its last byte to a connected peer for which an item stays awake.'),
    maxOpenFiles: most(100_000, 256, 'Most files kept open for the next read; the descriptor limit must allow it.'),
  }),
  network: z.object({
    owner: nodeIdSchema
      .meta({ expected: 'a public key of 43 base64url characters' })
      .optional()
      .describe('Public key of the network to join; without it this node owns a network of its own.'),
    peers: z
      .array(z.url({ protocol: /^wss?$/ }).max(300))
      .max(64)
      .default([])
      .describe('Graph URLs of other nodes (wss://host/gun) that are always dialled.'),
    open: z.boolean().default(false).describe('Admit every node without a certificate. For experiments only.'),
    allowPrivate: z
      .boolean()
      .default(false)
      .describe('Connect to private and loopback addresses that other nodes name. For a network in one house.'),
  }),
  node: z.object({
    zone: label.default('').describe('Where this machine is, so that copies are spread over zones.'),
    operator: label.default('').describe('Who runs this machine, so that copies are spread over operators.'),
  }),
  storage: z.object({
    folder: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder of the stored files (blobs, incoming, quarantine, uploads) on one file system, without it data.',
      ),
    capacityBytes: z
      .int()
      .min(0)
      .default(0)
      .describe('Most bytes of items to store; 0 is nine tenths of the disk of the storage folder.'),
  }),
  replicas: z
    .object({
      min: z.int().min(1).max(64).default(2).describe('Fewer copies than this of an item raise an alarm.'),
      target: z.int().min(1).max(64).default(3).describe('Copies that the network keeps of an item published here.'),
    })
    .refine(({ min, target }) => min <= target, { path: ['min'], message: 'must not exceed replicas.target' }),
  repair: repairSettings.prefault({}),
  policy: policySettings.prefault({}),
  retention: z.object({
    purgeAfter: z
      .int()
      .min(0)
      .max(31_536_000)
      .default(86_400)
      .describe('Seconds between the retraction of an item and the removal of its bytes.'),
  }),
  media: z
    .object({
      previews: z
        .boolean()
        .default(true)
        .describe('Make thumbnails, covers and audio previews of what is published here.'),
      ffprobe: program('ffprobe', 'finds width, height, duration and codecs of sounds and films'),
      ffmpeg: program('ffmpeg', 'makes previews of sounds and films'),
    })
    .prefault({}),
  imports: z
    .object({
      parallel: z.int().min(1).max(64).default(4).describe('Imports that run at a time; the others wait.'),
      most: z
        .int()
        .min(1)
        .max(100_000)
        .default(1000)
        .describe('Most unfinished imports; one token owner may have a quarter of them.'),
      retries: z
        .int()
        .min(0)
        .max(10)
        .default(4)
        .describe('How often an import is tried again whose source did not answer, or broke off.'),
      trackers: z
        .boolean()
        .default(false)
        .describe('Ask the trackers that a magnet or .torrent names too, for as long as it is fetched.'),
      allowPrivate: z
        .boolean()
        .default(false)
        .describe('Import from private and loopback addresses: lets every publisher reach services in this network.'),
      ytDlp: z.boolean().default(false).describe('Run yt-dlp for imports that ask for it, where it is installed.'),
    })
    .prefault({}),
  compat: z
    .object({
      encrypt: z.boolean().default(false).describe('Encrypt what is uploaded at /upload and does not say.'),
      private: z.boolean().default(false).describe('Make private what is uploaded at /upload.'),
    })
    .prefault({}),
  digm: z
    .object({
      maps: z
        .boolean()
        .default(true)
        .describe('Keep the public maps (albums, tracks, ...) that stock GUN clients write; at most 450 MB.'),
      accept: z
        .enum(['off', 'members', 'any'])
        .default('off')
        .describe('Seed requests to fetch and publish: none, those written here with a token, or all.'),
      maxItemBytes: bytes(2 * 2 ** 30, 'Largest item that a seed request may ask for, in bytes.'),
      maxBytes: bytes(20 * 2 ** 30, 'Bytes of all items that seed requests brought.'),
    })
    .prefault({}),
  webhooks: z
    .object({
      allowedOrigins: z
        .array(z.url({ protocol: /^https?$/ }).max(300))
        .max(20)
        .default([])
        .describe('Origins (http://10.0.0.5:3000) that webhooks may have although their address is private.'),
    })
    .prefault({}),
  reads: readsSettings.prefault({}),
  cors: z
    .object({
      origins: z
        .array(
          z
            .string()
            .max(300)
            .refine(isOrigin, 'expected * or an origin such as https://player.example')
            .meta({ expected: '* or an origin such as https://player.example' }),
        )
        .max(100)
        .default(['*'])
        .describe("Origins whose pages may use the API in people's browsers; * is every page, an empty list none."),
    })
    .prefault({}),
  uploads: z
    .object({
      expireAfter: z
        .int()
        .min(60)
        .max(30 * 86_400)
        .default(86_400)
        .describe('Seconds without a byte after which a resumable upload is forgotten.'),
      most: z.int().min(1).max(100_000).default(1000).describe('Most resumable uploads; a quarter per owner.'),
    })
    .prefault({}),
  rate: z
    .object({
      token: perSecond(500, 'Most requests per second with one token, over 10 seconds; 0 is no limit.'),
      address: perSecond(
        100,
        'Most requests per second without a token from one address (IPv6: one /64), over 10 seconds; 0 is no limit.',
      ),
      failures: perSecond(
        20,
        'Wrong tokens per minute from one address, after which it may try no other; 0 is no limit.',
      ),
    })
    .prefault({}),
  quota: z
    .object({
      bytes: quota('Most bytes of all items that one owner of tokens may have here; 0 is no limit.'),
      items: quota('Most items that one owner may have here; 0 is no limit.'),
      bytesPerDay: quota('Most bytes that one owner may publish in a day of UTC; 0 is no limit.'),
    })
    .prefault({}),
  log: z.object({
    level: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .describe('Least important log line to print.')
      .meta(hot),
  }),
})

export type Config = z.output<typeof configSchema>
