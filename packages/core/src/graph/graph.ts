import { seal } from '../envelope/index.ts'
import { InvalidInputError } from '../errors.ts'
import type { Identity, NodeId } from '../identity/index.ts'
import { Membership } from '../membership/index.ts'
import type { Certificate, Role, Succession } from '../membership/index.ts'
import type { Heartbeat } from '../presence/index.ts'
import { readValue, storedGrants, storedManifests, storedValues } from './archive.ts'
import { Compat } from './compat/compat.ts'
import { GraphClosedError, NotMemberError, NotOwnerError } from './errors.ts'
import { bodyFits, bodySchemas, Guard } from './guard.ts'
import type { Admitted } from './guard.ts'
import { Heartbeats } from './heartbeats.ts'
import { Links } from './links.ts'
import { Neighbours } from './neighbours.ts'
import type { Accepted, Bodies, Entry, Graph, GraphStats, Kind, ManifestFilter, Socket } from './port.ts'
import type { GraphOptions } from './options.ts'
import { OwnTimes } from './own-times.ts'
import { Places } from './places.ts'
import { Refusals } from './refusals.ts'
import { layouts, parseSoul } from './souls.ts'
import { Sums } from './sums.ts'
import { Supervisor } from './supervisor.ts'
import type { Target } from './supervisor.ts'
import { Watchers } from './watchers.ts'
import { Writer } from './writer.ts'

/** The network's shared memory over GUN. */
export function createGraph(options: GraphOptions): Graph {
  return new GunGraph(options)
}

class GunGraph implements Graph {
  readonly #options: GraphOptions
  readonly #network: string
  readonly #now: () => number
  readonly #membership: Membership
  readonly #refusals = new Refusals()
  readonly #heartbeats = new Heartbeats()
  readonly #places: Places
  readonly #writer: Writer
  readonly #sums: Sums
  readonly #links: Links
  readonly compat: Compat | undefined
  readonly #supervisor: Supervisor
  readonly #neighbours: Neighbours
  readonly #watchers: Watchers
  readonly #times: OwnTimes
  #accepted = 0
  #running = false
  #closed = false

  constructor(options: GraphOptions) {
    const { network, identity, store, verifier } = options
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#watchers = new Watchers(options.onFault)
    this.#times = new OwnTimes(this.#now)
    const random = options.random ?? Math.random
    this.#membership = new Membership(network.owner, network.open ?? false)
    this.#network = this.#membership.network
    this.#sums = new Sums({ network: this.#network, store })
    this.#places = new Places({
      network: this.#network,
      present: (soul, key) => this.#present(soul, key),
      publishers: () => this.#sums.publishers(),
    })
    this.#writer = new Writer({
      store,
      now: this.#now,
      onStored: (batch) => this.#stored(batch),
      onFailed: (error) => {
        options.onFault(error)
        this.#links.forgive()
      },
    })
    const guard = new Guard({
      network: this.#network,
      membership: this.#membership,
      verifier,
      now: this.#now,
      present: (soul, key) => this.#present(soul, key),
      hasRoom: (place, bytes) => this.#sums.hasRoom(place, bytes),
      outOfTime: (pub, ts) => this.#refusals.tell(pub, ts),
    })
    this.compat =
      options.compat &&
      new Compat({
        store: options.compat,
        own: `eldernodes/${identity.id}`,
        now: this.#now,
        broadcast: (values) => this.#links.broadcastCompat(values),
        onFault: options.onFault,
      })
    this.#links = new Links({
      network: this.#network,
      identity,
      verifier,
      guard,
      membership: this.#membership,
      sums: this.#sums,
      store,
      heartbeats: this.#heartbeats,
      compat: this.compat,
      keeps: options.keeps && new Set(options.keeps),
      configured: new Set(options.peers),
      refusals: this.#refusals,
      now: this.#now,
      present: (soul, key) => this.#present(soul, key),
      take: (admitted, written) => this.#take(admitted, written),
      settled: () => this.#writer.flush(),
      onNode: (url, node) => this.#supervisor.learn(url, node),
      onFault: options.onFault,
    })
    this.#neighbours = new Neighbours(identity.id, random)
    this.#supervisor = new Supervisor({
      onFault: options.onFault,
      dial: options.dial,
      targets: () => this.#targets(),
      isLinked: (target) => this.#links.has(target),
      onSocket: (socket, { url }) => this.#links.open(socket, url),
      onRefused: (reason) => this.#refusals.add(reason),
      now: this.#now,
      random,
    })
  }

  async start(): Promise<void> {
    for (const { key, body, ts } of this.entries('o')) this.#membership.succeed(Number(key), body, ts)
    for (const { body, ts } of this.entries('p')) this.#membership.certify(body, ts)
    this.#times.stored(await this.#sums.build(this.#options.identity.id))
    if (this.#closed) return
    this.#running = true
    this.#links.start()
    this.#supervisor.start()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#running = false
    this.#supervisor.stop()
    this.#links.close()
    await this.#writer.flush()
    this.#watchers.clear()
  }

  accept(socket: Socket): void {
    if (this.#running) this.#links.open(socket, undefined)
    else socket.terminate()
  }

  async publish<K extends Kind>(kind: K, key: string, body: Bodies[K]): Promise<Accepted<Bodies[K]>> {
    if (this.#closed) throw new GraphClosedError()
    const signer = this.#signer(kind)
    const parsed = bodySchemas[kind].safeParse(body)
    if (!parsed.success) throw new InvalidInputError(`not a valid body of kind ${kind}`, { cause: parsed.error })
    const where = this.#places.forNew(kind, signer.id, key, parsed.data as Bodies[K])
    const place = where && parseSoul(where.soul)
    if (where === undefined || place === undefined || !bodyFits(kind, parsed.data, place, where.key)) {
      throw new InvalidInputError(`the key ${key} does not name what this value of kind ${kind} is about`)
    }
    await this.#links.pace()
    const ts = this.#times.next(where, this.#places.newest(kind, signer.id, key)?.ts)
    try {
      const value = await seal({ kind, network: this.#network, ts, body: parsed.data }, signer)
      if (this.#closed) throw new GraphClosedError()
      const fields = { hidden: place.hidden, body: parsed.data as Bodies[K] }
      const accepted: Accepted<Bodies[K]> = { kind, pub: signer.id, ts, ...where, ...fields }
      const admitted: Admitted = { entry: { ...where, ts, value }, accepted }
      if (layouts[kind].stored) await this.#writer.put(admitted)
      else this.#beat(admitted)
      return accepted
    } finally {
      this.#times.settled(where, ts)
    }
  }

  get<K extends Kind>(kind: K, pub: NodeId, key: string): Accepted<Bodies[K]> | undefined {
    if (!layouts[kind].stored) return this.#heartbeats.get(pub)?.accepted as Accepted<Bodies[K]> | undefined
    const entry = this.#places.newest(kind, pub, key)
    return entry && readValue(kind, entry)
  }

  *entries<K extends Kind>(kind: K, pub?: NodeId): Iterable<Accepted<Bodies[K]>> {
    if (!layouts[kind].stored) {
      for (const { accepted } of this.#heartbeats.values()) {
        if (pub === undefined || accepted.pub === pub) yield accepted as Accepted<Bodies[K]>
      }
      return
    }
    yield* storedValues(this.#options.store, this.#network, kind, pub)
  }

  grants(pub: NodeId, infoHash: string): Iterable<Accepted<Bodies['g']>> {
    return storedGrants(this.#options.store, this.#network, pub, infoHash)
  }

  manifests(only: ManifestFilter = {}): Iterable<{ pub: NodeId; infoHash: string }> {
    return storedManifests(this.#options.store, this.#network, only)
  }

  watch<K extends Kind>(kind: K, listener: (value: Accepted<Bodies[K]>) => void): () => void {
    return this.#watchers.add(kind, listener)
  }

  admits(pub: NodeId, role?: Role): boolean {
    return this.#membership.isMember(pub, role ?? 'any', this.#now())
  }

  members(role?: Role): Iterable<NodeId> {
    if (this.#options.network.open !== true) return this.#membership.members(role ?? 'any', this.#now())
    const seen = [...this.#heartbeats.values()].map(({ accepted }) => accepted.pub)
    return new Set([this.#options.identity.id, ...this.#sums.publishers(), ...seen])
  }

  readonly watchOutOfTime: Graph['watchOutOfTime'] = (listener) => this.#refusals.watch(listener)
  readonly operatorOf: Graph['operatorOf'] = (pub) => this.#membership.operatorOf(pub)

  speakerOf(pub: NodeId): NodeId {
    return this.#membership.successorOf(pub)
  }

  stats(): GraphStats {
    return { links: this.#links.stats(), accepted: this.#accepted, refused: this.#refusals.toJSON() }
  }

  #signer(kind: Kind): Identity {
    const { identity, owner } = this.#options
    const { role } = layouts[kind]
    if (role === 'owner') {
      if (owner === undefined || owner.id !== this.#membership.owner) throw new NotOwnerError()
      return owner
    }
    if (!this.#membership.isMember(identity.id, role, this.#now())) throw new NotMemberError(identity.id, kind)
    return identity
  }

  #present(soul: string, key: string): Entry | undefined {
    const place = parseSoul(soul)
    if (place?.kind === 'hb' && place.pub !== undefined) return this.#heartbeats.get(place.pub)?.entry
    return this.#writer.get(soul, key)
  }

  /** Foreign values that passed the guard. */
  #take(admitted: readonly Admitted[], written: (() => void) | undefined): void {
    this.#accepted += admitted.length
    const lasting: Admitted[] = []
    for (const value of admitted) {
      if (layouts[value.accepted.kind].stored) lasting.push(value)
      else if (this.#heartbeats.keep(value)) this.#watchers.tell(value.accepted)
      // Certificates count from here on, so that the next message is judged by them.
      this.#learn(value.accepted)
    }
    this.#writer.add(lasting, written)
  }

  #beat(own: Admitted): void {
    if (!this.#heartbeats.keep(own)) return
    this.#links.broadcast([own])
    this.#watchers.tell(own.accepted)
  }

  #stored(batch: readonly (Admitted & { durable?: boolean })[]): void {
    this.#sums.changed(batch)
    const own = batch.filter(({ durable }) => durable)
    for (const { accepted } of own) {
      this.#times.stored(accepted.ts)
      this.#learn(accepted)
    }
    this.#links.broadcast(own)
    for (const { accepted } of batch) this.#watchers.tell(accepted)
  }

  #learn({ kind, key, ts, body }: Accepted): void {
    if (kind === 'o') this.#membership.succeed(Number(key), body as Succession, ts)
    else if (kind === 'p') this.#membership.certify(body as Certificate, ts)
    else return
    this.#links.membershipChanged()
  }

  #targets(): Target[] {
    const configured = this.#options.peers.map((url) => ({ url, foreign: false }))
    const heartbeats = [...this.#heartbeats.values()].map(({ accepted }) => accepted as Accepted<Heartbeat>)
    return [...configured, ...this.#neighbours.choose(heartbeats, this.#now())]
  }
}
