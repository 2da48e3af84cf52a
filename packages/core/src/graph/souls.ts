import { nodeIdSchema, sha256OfNode } from '../identity/index.ts'
import type { NodeId } from '../identity/index.ts'
import type { Role } from '../membership/index.ts'
import { readAuditKey } from '../proof/index.ts'
import type { Kind } from './port.ts'

/**
 * What a soul says about the values under it. `en1/<network>/<kind>` is followed by the publisher's id and a bucket
 * (two hex digits), as far as the kind has them. What is not public lies under `en1/<network>/x/<kind>`.
 */
export interface Place {
  kind: Kind
  network: string
  /** Shown only to links that proved membership. */
  hidden: boolean
  /** The only one who may sign what lies here; `undefined` for what the network's owner signs. */
  pub: NodeId | undefined
  bucket: string | undefined
}

interface Layout {
  publisher: boolean
  bucket: boolean
  /** The role that publishing takes; `any` for every member, `owner` for the network's owner alone. */
  role: Role | 'any' | 'owner'
  /** Whether values outlive the process. */
  stored: boolean
  /** Whether values of this kind may be about what is not public. */
  hides: boolean
}

export const layouts: Record<Kind, Layout> = {
  m: { publisher: true, bucket: true, role: 'publisher', stored: true, hides: true },
  h: { publisher: true, bucket: true, role: 'seeder', stored: true, hides: true },
  hb: { publisher: true, bucket: false, role: 'any', stored: false, hides: false },
  g: { publisher: true, bucket: true, role: 'publisher', stored: true, hides: true },
  a: { publisher: true, bucket: false, role: 'auditor', stored: true, hides: false },
  p: { publisher: false, bucket: true, role: 'owner', stored: true, hides: false },
  d: { publisher: false, bucket: true, role: 'owner', stored: true, hides: true },
  o: { publisher: false, bucket: false, role: 'owner', stored: true, hides: false },
}

const version = 'en1'
const branch = 'x'
const network = /^[A-Za-z0-9_-]{16}$/
const nodeId = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
const bucket = /^[0-9a-f]{2}$/
const infoHash = /^[0-9a-f]{40}$/
const grant = /^[0-9a-f]{40}\.[0-9a-f]{32}$/
const number = /^[1-9][0-9]{0,5}$/

/** Reads a soul of this protocol; `undefined` for any other text. */
export function parseSoul(soul: string): Place | undefined {
  const [head, net, ...rest] = soul.split('/', 7)
  if (head !== version || net === undefined || !network.test(net)) return undefined
  const hidden = rest[0] === branch
  if (hidden) rest.shift()
  const kind = rest.shift()
  if (!isKind(kind)) return undefined
  const layout = layouts[kind]
  if (hidden && !layout.hides) return undefined
  const pub = layout.publisher ? rest.shift() : undefined
  if (layout.publisher && (pub === undefined || !nodeId.test(pub))) return undefined
  const part = layout.bucket ? rest.shift() : undefined
  if (layout.bucket && (part === undefined || !bucket.test(part))) return undefined
  return rest.length === 0 ? { kind, network: net, hidden, pub, bucket: part } : undefined
}

export function formatSoul({ kind, network: net, hidden, pub, bucket: part }: Place): string {
  return [version, net, hidden ? branch : undefined, kind, pub, part].filter((piece) => piece !== undefined).join('/')
}

/** The start that all souls of what is not public share, and no other soul has. */
export function hiddenPrefix(net: string): string {
  return `${version}/${net}/${branch}/`
}

/** The start that all souls of a kind, or of one publisher's, share and no other soul has. */
export function soulPrefix(net: string, kind: Kind, hidden: boolean, pub?: NodeId): string {
  const { publisher, bucket: bucketed } = layouts[kind]
  const start = hidden ? hiddenPrefix(net) : `${version}/${net}/`
  if (publisher && pub !== undefined) return `${start}${kind}/${pub}${bucketed ? '/' : ''}`
  return `${start}${kind}${publisher || bucketed ? '/' : ''}`
}

/** Soul and key of the value that a caller names by kind, publisher and its own key. `undefined` for a key that fits no soul. */
export function locate(
  net: string,
  kind: Kind,
  pub: NodeId,
  name: string,
  hidden = false,
): { soul: string; key: string } | undefined {
  const key = kind === 'h' || kind === 'hb' ? kind : name
  const { publisher, bucket: bucketed, hides } = layouts[kind]
  const place: Place = {
    kind,
    network: net,
    hidden,
    pub: publisher ? pub : undefined,
    bucket: bucketed ? bucketOf(kind, name) : undefined,
  }
  if ((hidden && !hides) || (bucketed && (place.bucket === undefined || !bucket.test(place.bucket)))) return undefined
  return keyFits(place, key) ? { soul: formatSoul(place), key } : undefined
}

/** Whether values may lie under this key at this place. */
export function keyFits(place: Place, key: string): boolean {
  switch (place.kind) {
    case 'm':
    case 'd':
      return infoHash.test(key) && key.slice(0, 2) === place.bucket
    case 'g':
      return grant.test(key) && key.slice(0, 2) === place.bucket
    case 'a':
      return auditedBy(place.pub, key)
    case 'h':
    case 'hb':
      return key === place.kind
    case 'p':
      return nodeId.test(key) && bucketOf('p', key) === place.bucket
    case 'o':
      return number.test(key)
  }
}

/** Nobody audits itself. */
function auditedBy(auditor: NodeId | undefined, key: string): boolean {
  const holder = readAuditKey(key)?.holder
  return holder !== undefined && holder !== auditor
}

/** The bucket of a caller's key: certificates go by the member's digest, the rest by the infohash or bucket itself. */
function bucketOf(kind: Kind, name: string): string | undefined {
  if (kind === 'h') return name.length === 2 ? name : undefined
  if (kind !== 'p') return name.slice(0, 2)
  if (!nodeIdSchema.safeParse(name).success) return undefined
  return sha256OfNode(name)[0]?.toString(16).padStart(2, '0')
}

function isKind(text: string | undefined): text is Kind {
  return text !== undefined && Object.hasOwn(layouts, text)
}

/**
 * Values are compared between nodes by group: each publisher's id names one, and `owner` the one of all that the
 * network's owner signs. What is not public has groups of its own, named `x/` and the rest, so that the sums told to
 * others say nothing of it.
 */
export type Group = string

export function groupOf(place: Place): Group {
  return hiddenGroup(place.pub ?? 'owner', place.hidden)
}

/** The group of what a publisher (or the `owner`) has hidden, or has not. */
export function hiddenGroup(name: string, hidden: boolean): Group {
  return hidden ? `${branch}/${name}` : name
}

/** Whose values a group has: a publisher's id or `owner`; and whether they are hidden. */
export function readGroup(group: Group): { name: string; hidden: boolean } {
  return group.startsWith(`${branch}/`)
    ? { name: group.slice(branch.length + 1), hidden: true }
    : { name: group, hidden: false }
}
