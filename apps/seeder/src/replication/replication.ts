import {
  HolderIndex,
  signRequest,
  type Accepted,
  type Access,
  type Candidate,
  type Holdings,
  type NodeId,
  type View,
} from '@eldernode/core'
import { Debounce } from './debounce.ts'
import { NoRoomError, TransferError } from './errors.ts'
import { Gate } from './members/gate.ts'
import { Heart } from './members/heart.ts'
import { HolderClient } from './fetching/holder-client.ts'
import { Holders } from './fetching/holders.ts'
import { HoldingsNotice } from './claims/holdings-notice.ts'
import { ItemFetcher } from './fetching/item-fetcher.ts'
import { Mending } from './deciding/mending.ts'
import { PlacementShare } from './deciding/placement-share.ts'
import type { ReplicationOptions } from './options.ts'
import type { Drain, Health, HealthQuery, HealthTotals, LevelChange } from './health-port.ts'
import type { RemoteFile, Replication, ReplicationStats } from './port.ts'
import { pulse } from './members/pulse.ts'
import { Reads } from './reading/reads.ts'
import { Reconciler } from './deciding/reconciler.ts'
import { Refusals } from './claims/refusals.ts'
import { Nearness } from './members/nearness.ts'
import { Room } from './members/room.ts'
import { Roster } from './members/roster.ts'
import { Serving } from './deciding/serving.ts'
import { searchLimits, stallLimits } from './fetching/stall.ts'
import { recall, takeStock } from './claims/stock.ts'
import { Transfers, type Job } from './fetching/transfers.ts'

const graceMs = 600_000
const operatorsChoiceMs = 86_400_000
const nothing = { items: 0, bytes: 0 }
const noHealth: HealthTotals = {
  ...nothing,
  at: 0,
  levels: { lost: nothing, 'below-min': nothing, 'below-target': nothing, 'at-target': nothing, surplus: nothing },
}

/** Wires the parts of this folder together. */
export class GraphReplication implements Replication {
  readonly #options: ReplicationOptions
  readonly #index = new HolderIndex()
  /** How far away members are: of what is asked of them here, and by audits. */
  readonly nearness = new Nearness()
  readonly #roster: Roster
  readonly #holders: Holders
  readonly #gate: Gate
  readonly #pass = new Debounce(() => this.#reconcileAll(), 500, 3_000)
  readonly #heart: Heart
  readonly #notice: HoldingsNotice
  readonly #refusals: Refusals
  readonly #transfers: Transfers
  readonly #mending: Mending
  readonly #reconciler: Reconciler
  readonly #fetcher: ItemFetcher
  readonly #reads: Reads
  readonly #watches: (() => void)[] = []
  #drain: Drain | undefined
  #fetched = 0
  #fetchedBytes = 0

  constructor(options: ReplicationOptions) {
    this.#options = options
    const { graph, library, swarm, egress, identity, storage, log, now } = options
    const self = identity.id
    const room = new Room({
      ...storage,
      isHere: () => library.storage().state === 'here',
      used: () => library.totals().bytes + library.quarantinedBytes(),
    })
    this.#roster = new Roster({
      graceMs,
      now,
      changed: () => this.#pass.request(),
      appeared: (id) => id !== self && this.#welcome(id),
    })
    this.#holders = new Holders({ self, index: this.#index, roster: this.#roster, library, egress })
    this.#gate = new Gate({
      links: () => graph.stats().links,
      dials: options.dials,
      moved: () => this.#pass.request(),
    })
    this.#refusals = new Refusals({ forgiven: (infoHash) => this.#forgive(infoHash) })
    this.#notice = new HoldingsNotice({ self, graph, isHidden: (infoHash) => this.#isHidden(infoHash), log })
    this.#transfers = new Transfers({
      run: (job, signal) => this.#fetch(job, signal),
      failed: (job, reason, error) => this.#failed(job, reason, error),
      settled: ({ publisher, infoHash }) => this.#reconciler.touch(publisher, infoHash),
      drained: () => this.#pass.request(),
      concurrency: 2,
      maxQueued: 10_000,
      now,
      random: Math.random,
    })
    this.#mending = new Mending({
      library,
      swarm,
      sources: (infoHash, publisher) => this.#holders.anyone(infoHash, publisher),
      limits: stallLimits,
      search: searchLimits,
      drained: () => this.#pass.request(),
      log,
      now,
      random: Math.random,
    })
    this.#heart = new Heart({
      graph,
      pulse: () => pulse({ ...options, publicItems: () => this.publicItems(), transfers: this.#transfers, room }),
      log,
    })
    this.#reads = new Reads({
      ...options,
      begin: (...item) => this.#fetcher.begin(...item),
      published: (infoHash) => this.#reconciler.published(infoHash),
      refuses: (infoHash) => this.#refusals.has(infoHash),
    })
    this.#fetcher = new ItemFetcher({
      ...options,
      arrivals: this.#reads.arrivals,
      room,
      client: new HolderClient({
        egress,
        authorize: (method, url) => signRequest({ method, url: url.href }, identity, now()),
      }),
      sources: (infoHash, publisher) => this.#holders.sources(infoHash, publisher),
      limits: stallLimits,
      search: searchLimits,
    })
    this.#reconciler = new Reconciler({
      ...options,
      self,
      transfers: {
        add: (job, changed) => this.#transfers.add(job, changed),
        has: (infoHash) => this.#transfers.has(infoHash),
        cancel: (infoHash, why) => this.#cancel(infoHash, why),
      },
      share: new PlacementShare({
        self,
        roster: this.#roster,
        index: this.#index,
        has: (infoHash) => library.get(infoHash) !== undefined,
        refuses: (infoHash) => this.#refusals.has(infoHash),
        inStep: () => this.#gate.inStep,
        settled: () => this.#gate.settled,
      }),
      serving: new Serving({
        swarm,
        holdings: this.#notice,
        isPaused: (infoHash) => library.isPaused(infoHash),
        mend: (infoHash) => this.#mending.add(infoHash),
        cancelTransfer: (infoHash) => this.#cancel(infoHash, 'its bytes came another way'),
      }),
    })
  }

  async start(): Promise<void> {
    const { graph, identity, library } = this.#options
    for (const { body } of graph.entries('p')) this.#reconciler.learn(body.member)
    recall(this.#options, (infoHash, forMs) => {
      this.#refusals.add(infoHash, Math.min(forMs, operatorsChoiceMs), true)
      this.#notice.refuse(infoHash)
    })
    this.#watches.push(
      // Peers are served already: what they find wrong from here on is told, what they found before is in the catalog.
      library.onCondition((infoHash) => this.touch(infoHash)),
      graph.watch('h', (holdings) => this.#learn(holdings)),
      graph.watch('m', ({ pub, key }) => this.#reconciler.touch(pub, key)),
      graph.watch('d', ({ key }) => this.#reconciler.touchItem(key)),
      graph.watch('hb', (heartbeat) => this.#roster.see(heartbeat)),
      graph.watch('p', ({ body: { member } }) => member === identity.id && this.#heart.answer()),
    )
    for (const heartbeat of graph.entries('hb')) this.#roster.see(heartbeat)
    await this.#heart.start()
    const learn = (holdings: Accepted<Holdings>): void => this.#learn(holdings)
    await takeStock(this.#options, learn, (infoHash) => this.#notice.hold(infoHash))
    // One that came just before a stop may not have been acted on.
    for (const { key } of graph.entries('d')) if (library.head(key) !== undefined) this.#reconciler.touchItem(key)
    this.#reconciler.start()
    await this.#reconciler.idle()
    await this.#notice.open()
    this.#gate.start()
  }

  async claim(infoHash: string): Promise<void> {
    if (this.#refusals.delete(infoHash)) this.#options.library.forgive(infoHash)
    await this.#cancel(infoHash, 'its bytes came another way')
  }

  async leave(infoHash: string): Promise<void> {
    const now = this.#options.now()
    this.#options.library.refuse(infoHash, now + operatorsChoiceMs, now)
    this.#refusals.add(infoHash, operatorsChoiceMs, true)
    this.#notice.refuse(infoHash)
    await this.#cancel(infoHash, 'the operator removed it')
  }

  async pause(infoHash: string): Promise<void> {
    await this.#cancel(infoHash, 'the operator paused it')
    await this.#options.swarm.remove(infoHash)
  }

  isPublished(infoHash: string): boolean {
    return this.#reconciler.isPublished(infoHash)
  }

  remote(id: string, path?: string): Promise<RemoteFile | undefined> {
    return this.#reads.find(id, path)
  }

  touch(infoHash: string): void {
    this.#reconciler.touchItem(infoHash)
  }

  storageChanged(): void {
    this.#reconciler.start()
  }

  copies(infoHash: string): number {
    return this.#holders.count(infoHash, this.#gate.settled)
  }

  candidates(): Candidate[] {
    return this.#roster.candidates()
  }

  accessOf(infoHash: string): Access | undefined {
    return this.#reconciler.accessOf(infoHash)
  }

  publicItems(): number {
    return this.#notice.shownCount
  }

  view(): View {
    const { identity, library, now } = this.#options
    const holds = (infoHash: string) => (library.condition(infoHash) === 'held' ? 'held' : undefined)
    return {
      self: identity.id,
      now: now(),
      live: this.#roster.candidates(),
      isSuspected: (id) => this.#roster.get(id)?.suspected === true,
      stateOf: (id, infoHash) => (id === identity.id ? holds(infoHash) : this.#index.stateOf(id, infoHash)),
      proofOf: () => 'unknown',
      isSkipped: (id, infoHash) => this.#index.stateOf(id, infoHash) === 'refused',
    }
  }

  health(_infoHash: string): Health | undefined {
    return undefined
  }

  totals(): HealthTotals {
    return noHealth
  }

  healths(_query: HealthQuery): Health[] {
    return []
  }

  onLevel(_listener: (change: LevelChange) => void): () => void {
    return () => undefined
  }

  repair(infoHash: string): boolean {
    this.touch(infoHash)
    return this.isPublished(infoHash)
  }

  drain(): void {
    this.#drain ??= { since: this.#options.now(), held: nothing, left: nothing, done: false }
  }

  undrain(): void {
    this.#drain = undefined
  }

  draining(): Drain | undefined {
    return this.#drain
  }

  peers() {
    return this.#roster.peers()
  }

  stats(): ReplicationStats {
    return {
      queued: this.#transfers.queued,
      running: this.#transfers.running,
      mending: this.#mending.items,
      fetched: this.#fetched,
      fetchedBytes: this.#fetchedBytes,
      failures: { ...this.#transfers.failures },
      live: this.#roster.size,
      inStep: this.#gate.inStep,
      clockBehind: this.#heart.clockBehind,
    }
  }

  async close(): Promise<void> {
    for (const end of this.#watches.splice(0)) end()
    this.#gate.close()
    this.#pass.close()
    this.#roster.close()
    this.#refusals.close()
    await Promise.all([this.#heart.close(), this.#transfers.close(), this.#mending.close()])
    await this.#reads.close()
    await this.#reconciler.close()
    await this.#notice.close()
  }

  /** The bucket is the last part of the soul; the key is the same for all. */
  #learn({ pub, soul, hidden, body }: Accepted<Holdings>): void {
    // What this node holds it knows better.
    if (pub === this.#options.identity.id) return
    const bucket = soul.slice(soul.lastIndexOf('/') + 1)
    const awaited: string[] = []
    for (const { infoHash } of this.#transfers.waiting()) {
      if (infoHash.startsWith(bucket) && this.#index.stateOf(pub, infoHash) !== 'held') awaited.push(infoHash)
    }
    this.#index.set(pub, bucket, body, hidden)
    for (const infoHash of awaited) if (this.#index.stateOf(pub, infoHash) === 'held') this.#transfers.hurry(infoHash)
  }

  /** What nobody published in public is told to members only; so is what nobody is known to have published. */
  #isHidden(infoHash: string): boolean {
    const access = this.#options.library.head(infoHash)?.access ?? this.#reconciler.accessOf(infoHash)
    return access !== 'public'
  }

  /** A member is heard from that was not before: it may have what waits here for a source. */
  #welcome(id: NodeId): void {
    this.#heart.answer()
    for (const { infoHash, publisher } of this.#transfers.waiting()) {
      if (publisher === id || this.#index.stateOf(id, infoHash) === 'held') this.#transfers.hurry(infoHash)
    }
    for (const { infoHash } of this.#mending.waiting()) this.#mending.hurry(infoHash)
  }

  #reconcileAll(): void {
    if (this.#gate.inStep) this.#reconciler.touchAll()
  }

  #forgive(infoHash: string): void {
    this.#notice.drop(infoHash)
    this.#reconciler.touchItem(infoHash)
  }

  /** Ends what is fetched of an item, for a copy and for readers alike. */
  async #cancel(infoHash: string, why: string): Promise<void> {
    await this.#transfers.cancel(infoHash, why)
    await this.#reads.arrivals.end(infoHash, why)
  }

  async #fetch(job: Job, signal: AbortSignal): Promise<void> {
    if (this.#options.library.get(job.infoHash) !== undefined) return
    const { infoHash, size } = await this.#fetcher.fetch(job, signal)
    this.#fetched++
    this.#fetchedBytes += size
    this.#options.log.info({ infoHash, size }, 'fetched, verified and stored an item')
  }

  #failed({ infoHash }: Job, reason: string, error: unknown): void {
    this.#options.log.warn({ err: error, infoHash, reason }, 'an item could not be fetched')
    // The next heartbeat tells all that there is less room than they believe, so that another node is chosen.
    if (error instanceof NoRoomError) this.#heart.answer()
    const refuseForMs = error instanceof TransferError ? error.refuseForMs : undefined
    if (refuseForMs !== undefined && this.#refusals.add(infoHash, refuseForMs)) this.#notice.refuse(infoHash)
  }
}
