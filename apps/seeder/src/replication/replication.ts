import { HolderIndex, type Accepted, type Access, type Candidate, type Holdings, type View } from '@eldernode/core'
import { Debounce } from './debounce.ts'
import { NoRoomError, TransferError } from './errors.ts'
import { Gate } from './members/gate.ts'
import { Healths } from './health/healths.ts'
import { Picture } from './health/picture.ts'
import { Heart } from './members/heart.ts'
import { Holders } from './fetching/holders.ts'
import { Hearsay } from './claims/hearsay.ts'
import { HoldingsNotice } from './claims/holdings-notice.ts'
import { createFetching } from './fetching/fetching.ts'
import type { ItemFetcher } from './fetching/item-fetcher.ts'
import { Mending } from './deciding/mending.ts'
import { PlacementShare } from './deciding/placement-share.ts'
import type { ReplicationOptions } from './options.ts'
import type { Standing } from './health/port.ts'
import type { Replication, ReplicationStats } from './port.ts'
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
  readonly #healths: Healths
  readonly #picture: Picture
  readonly #hearsay: Hearsay
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
    this.#healths = new Healths({
      now,
      repair: (infoHash) => {
        this.touch(infoHash)
        return this.isPublished(infoHash)
      },
      drained: () => this.#heart.answer(),
    })
    this.#roster = new Roster({
      graceMs,
      now,
      changed: () => this.#pass.request(),
      appeared: (id) => {
        if (id === self) return
        this.#heart.answer()
        this.#hearsay.welcome(id)
      },
    })
    const seen = { self, roster: this.#roster, index: this.#index, library }
    this.#picture = new Picture({ ...seen, settled: () => this.#gate.settled, now })
    this.#holders = new Holders({ ...seen, egress, nearness: this.nearness, now })
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
    this.#hearsay = new Hearsay({
      self,
      index: this.#index,
      transfers: this.#transfers,
      mending: this.#mending,
      believes: (node) => graph.admits(node, 'seeder'),
      changed: () => undefined,
    })
    this.#heart = new Heart({
      graph,
      pulse: () =>
        pulse({
          ...options,
          draining: () => this.#healths.draining() !== undefined,
          publicItems: () => this.publicItems(),
          transfers: this.#transfers,
          room,
        }),
      log,
    })
    this.#reads = new Reads({
      ...options,
      begin: (...item) => this.#fetcher.begin(...item),
      published: (infoHash) => this.#reconciler.published(infoHash),
      refuses: (infoHash) => this.#refusals.has(infoHash),
    })
    this.#fetcher = createFetching({ ...options, arrivals: this.#reads.arrivals, room, holders: this.#holders })
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

  readonly isPublished: Replication['isPublished'] = (infoHash) => this.#reconciler.isPublished(infoHash)
  readonly remote: Replication['remote'] = (id, path) => this.#reads.find(id, path)
  readonly touch: Replication['touch'] = (infoHash) => this.#reconciler.touchItem(infoHash)
  readonly storageChanged: Replication['storageChanged'] = () => this.#reconciler.start()
  readonly copies: Replication['copies'] = (infoHash) => this.#holders.count(infoHash, this.#gate.settled)
  readonly peers: Replication['peers'] = () => this.#roster.peers()
  readonly health: Standing['health'] = (infoHash) => this.#healths.health(infoHash)
  readonly healths: Standing['healths'] = (query) => this.#healths.healths(query)
  readonly totals: Standing['totals'] = () => this.#healths.totals()
  readonly onLevel: Standing['onLevel'] = (listener) => this.#healths.onLevel(listener)
  readonly repair: Standing['repair'] = (infoHash) => this.#healths.repair(infoHash)
  readonly drain: Standing['drain'] = () => this.#healths.drain()
  readonly undrain: Standing['undrain'] = () => this.#healths.undrain()
  readonly draining: Standing['draining'] = () => this.#healths.draining()

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
      graph.watch('h', (holdings) => this.#hearsay.learn(holdings)),
      graph.watch('m', ({ pub, key }) => this.#reconciler.touch(pub, key)),
      graph.watch('d', ({ key }) => this.#reconciler.touchItem(key)),
      graph.watch('hb', (heartbeat) => this.#roster.see(heartbeat)),
      graph.watch('p', ({ body: { member } }) => member === identity.id && this.#heart.answer()),
    )
    for (const heartbeat of graph.entries('hb')) this.#roster.see(heartbeat)
    await this.#heart.start()
    const learn = (holdings: Accepted<Holdings>): void => this.#hearsay.learn(holdings)
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
    return this.#picture.take()
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
      settled: this.#gate.settled,
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

  /** What nobody published in public is told to members only; so is what nobody is known to have published. */
  #isHidden(infoHash: string): boolean {
    const access = this.#options.library.head(infoHash)?.access ?? this.#reconciler.accessOf(infoHash)
    return access !== 'public'
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
