import type { Identity, NodeId, Verifier } from '../identity/index.ts'
import { Congestion } from './congestion.ts'
import { Exchange } from './exchange.ts'
import { frameSchema } from './frames.ts'
import type { Frame } from './frames.ts'
import type { Admitted, Guard } from './guard.ts'
import { Handshake } from './handshake.ts'
import { Intake } from './intake.ts'
import type { Compat } from './compat/compat.ts'
import type { CompatValue } from './compat/port.ts'
import { spoken } from './compat/value.ts'
import { portions } from './portions.ts'
import type { Heartbeats } from './heartbeats.ts'
import type { Membership } from '../membership/index.ts'
import { limits } from './limits.ts'
import { isKept } from './double-links.ts'
import { closeCodes, Link } from './link.ts'
import { LinkRights } from './link-rights.ts'
import type { Entry, GraphStore, Kind, LinkStats, Socket } from './port.ts'
import type { Refusals } from './refusals.ts'
import { Replies } from './replies.ts'
import { hiddenPrefix } from './souls.ts'
import type { Sums } from './sums.ts'
import type { Target } from './supervisor.ts'
import { Turn } from './turn.ts'
import { messageId, putOf } from './wire/message.ts'
import { Wire } from './wire/wire.ts'

export interface LinksOptions {
  network: string
  identity: Identity
  verifier: Verifier
  guard: Guard
  membership: Membership
  sums: Sums
  store: GraphStore
  heartbeats: Heartbeats
  compat: Compat | undefined
  /** The kinds that this node takes, where those are not all. */
  keeps: ReadonlySet<Kind> | undefined
  /** URLs that the operator configured: their nodes are trusted to hand on what others signed in the past. */
  configured: ReadonlySet<string>
  refusals: Refusals
  now: () => number
  present(soul: string, key: string): Entry | undefined
  take(admitted: readonly Admitted[], written: (() => void) | undefined): void
  /** Resolves once everything taken so far is in the store. */
  settled(): Promise<void>
  /** Which node answered at a URL that this node dialled. */
  onNode(url: string, node: NodeId): void
  onFault(error: unknown): void
}

/** Milliseconds between two comparisons of sums. */
const sumsTime = 30_000
const tickTime = 1000
/** A link that says nothing for this long is taken for a stock GUN client that only listens. */
const quietTime = 2000
/** A node that was dialled must have proven its key within this time. */
const proofTime = 10_000

interface Dialogue {
  handshake: Handshake
  exchange: Exchange | undefined
}

/** All links of a node: what comes in is parsed, judged and handed on; what goes out is spread over them. */
export class Links {
  readonly #options: LinksOptions
  readonly #links = new Map<Link, Dialogue>()
  /** Incoming links whose node has proven no key, the one that has been quiet longest first. */
  readonly #unproven = new Set<Link>()
  /** URLs at which this node found itself. */
  readonly #own = new Set<string>()
  readonly #wire: Wire
  readonly #hiddenPrefix: string
  readonly #rights: LinkRights
  readonly #congestion = new Congestion(() => this.#links.keys())
  readonly #turn = new Turn()
  readonly #replies: Replies
  readonly #intake: Intake
  readonly #timers: ReturnType<typeof setInterval>[] = []
  #refreshing: ReturnType<typeof setTimeout> | undefined
  #counter = 0

  constructor(options: LinksOptions) {
    this.#options = options
    this.#hiddenPrefix = hiddenPrefix(options.network)
    this.#rights = new LinkRights({ ...options, hiddenPrefix: this.#hiddenPrefix })
    const { store, heartbeats, onFault } = options
    this.#wire = new Wire(
      ({ id, soul, key, peer }) => this.#replies.ask({ id, soul, key }, peer as Link),
      (peer, put) => this.#rights.mayHear(peer as Link, put),
    )
    this.#replies = new Replies({ wire: this.#wire, store, heartbeats, compat: options.compat, onFault })
    this.#intake = new Intake({
      network: options.network,
      compat: options.compat,
      guard: options.guard,
      wire: this.#wire,
      take: options.take,
      keeps: options.keeps,
      isTrusted: (link) => this.#rights.isTrusted(link),
      join: (link) => this.#join(link),
      frame: (foreign, link) => this.#frame(foreign, link),
    })
  }

  start(): void {
    this.#timers.push(
      setInterval(() => this.#tick(), tickTime),
      setInterval(() => this.#compareAll(), sumsTime),
    )
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
    if (this.#refreshing !== undefined) clearTimeout(this.#refreshing)
    for (const link of this.#links.keys()) link.cut()
    this.#turn.end()
    this.#wire.close()
  }

  /**
   * Takes over a socket; `url` is where it was dialled. When there are too many links it takes the place of an unproven
   * one; without any it is refused. Either ends at once: a closing handshake would let strangers hold surplus sockets.
   */
  open(socket: Socket, url: string | undefined): void {
    const { network, identity, verifier, membership, now, refusals } = this.#options
    if (this.#links.size >= limits.links && !this.#displace()) {
      refusals.add('links')
      return socket.terminate()
    }
    const link = new Link({
      id: `link${++this.#counter}`,
      socket,
      address: url,
      now,
      turn: this.#turn,
      hiddenPrefix: this.#hiddenPrefix,
      isMember: (node) => membership.isMember(node, 'any', now()),
      onText: (text) => this.#hear(text, link),
      onFault: this.#options.onFault,
      onEnd: () => this.#ended(link),
      onRefused: (reason) => refusals.add(reason),
    })
    const send = (frame: Frame): void => link.send(JSON.stringify(frame))
    const handshake = new Handshake({ network, identity, verifier, dialled: link.dialled, send })
    this.#links.set(link, { handshake, exchange: undefined })
    if (link.dialled) handshake.begin()
    else this.#unproven.add(link)
  }

  has({ url, node }: Target): boolean {
    if (this.#own.has(url) || node === this.#options.identity.id) return true
    return [...this.#links.keys()].some((link) => link.address === url || (node !== undefined && link.node === node))
  }

  /** Says this node's own values to every link. */
  broadcast(values: readonly Admitted[]): void {
    for (const part of portions(values)) this.#wire.broadcast(messageId(), putOf(part))
  }

  /** Says values of public maps that this node wrote to every link. */
  broadcastCompat(values: readonly CompatValue[]): void {
    this.#wire.broadcast(messageId(), putOf(values.map(spoken)))
  }

  /** Waits while members' links are congested, for a tenth of a second at most: one slow link must not stop a node. */
  pace(): Promise<void> {
    return this.#congestion.pace()
  }

  /** A certificate or succession came: what links may do and what is taken from them has changed. */
  membershipChanged(): void {
    this.#refreshing ??= setTimeout(() => {
      this.#refreshing = undefined
      for (const [link, { exchange }] of this.#links) {
        this.#rights.judge(link)
        exchange?.refresh()
      }
    }, 50)
  }

  /** What was fetched may be missing all the same: the store failed. */
  forgive(): void {
    for (const { exchange } of this.#links.values()) exchange?.forgive()
  }

  stats(): LinkStats[] {
    return [...this.#links.keys()].map(({ address, node, inSync, queued }) => ({
      url: address,
      member: node,
      inSync,
      queued,
    }))
  }

  /** Makes room for one link. */
  #displace(): boolean {
    const [quietest] = this.#unproven
    if (quietest === undefined) return false
    this.#options.refusals.add('displaced')
    quietest.cut()
    return true
  }

  #hear(text: string, link: Link): void | Promise<void> {
    if (this.#unproven.delete(link)) this.#unproven.add(link)
    return this.#intake.hear(text, link)
  }

  #frame(foreign: object, link: Link): void | Promise<void> {
    const dialogue = this.#links.get(link)
    const parsed = frameSchema.safeParse(foreign)
    if (!parsed.success || dialogue === undefined) return link.refuse('frame')
    const frame = parsed.data
    if (frame.en !== 'hello' && frame.en !== 'proof') {
      return dialogue.exchange === undefined ? link.refuse('unproven') : dialogue.exchange.take(frame)
    }
    return dialogue.handshake
      .take(frame)
      .then((step) => {
        if (step === undefined || link.closed) return
        if ('done' in step) return this.#proven(link, step.done)
        if (step.failed === 'self' && link.address !== undefined) this.#own.add(link.address)
        link.refuse(`hello_${step.failed}`)
        link.close(step.failed === 'network' || step.failed === 'self' ? closeCodes[step.failed] : closeCodes.policy)
      })
      .catch(this.#options.onFault)
  }

  #proven(link: Link, node: NodeId): void {
    const { identity, sums, present, onNode, onFault, now } = this.#options
    link.node = node
    this.#unproven.delete(link)
    if (link.address !== undefined) onNode(link.address, node)
    this.#rights.judge(link)
    if (!isKept(link, node, { self: identity.id, links: this.#links.keys() })) return
    const dialogue = this.#links.get(link)
    if (dialogue === undefined) return
    const exchange = new Exchange({
      link,
      sums,
      present,
      keeps: this.#options.keeps,
      wants: (group) => this.#rights.wants(group, link),
      seesHidden: () => link.seesHidden(),
      admit: (values) => this.#intake.fetched(values, link),
      send: (frame) => link.send(JSON.stringify(frame)),
      settled: this.#options.settled,
      tellHeartbeats: () => this.#tellHeartbeats(link),
      now,
      onFault,
    })
    dialogue.exchange = exchange
    this.#join(link)
    exchange.tellSums()
  }

  #tellHeartbeats(link: Link): void {
    for (const part of portions([...this.#options.heartbeats.values()])) this.#wire.tell(link, { put: putOf(part) })
  }

  #join(link: Link): void {
    if (link.joined || link.closed) return
    link.joined = true
    this.#wire.join(link)
  }

  #ended(link: Link): void {
    this.#links.get(link)?.exchange?.close()
    this.#links.delete(link)
    this.#unproven.delete(link)
    this.#wire.leave(link)
  }

  #tick(): void {
    const now = this.#options.now()
    for (const [link, { exchange }] of this.#links) {
      if (!link.joined && !link.dialled && now - link.since > quietTime) this.#join(link)
      if (link.dialled && link.node === undefined && now - link.since > proofTime) {
        link.refuse('hello_timeout')
        link.close(closeCodes.policy)
      }
      if (link.behind && link.queued < limits.behind / 4) {
        link.behind = false
        exchange?.tellSums()
      }
    }
  }

  #compareAll(): void {
    for (const [link, { exchange }] of this.#links) {
      this.#rights.judge(link)
      exchange?.tellSums()
    }
  }
}
