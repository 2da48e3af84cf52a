import type { Accepted, Access, Candidate, Manifest, View } from '@eldernode/core'
import { HoldingsNotice } from './claims/holdings-notice.ts'
import { Hearsay } from './claims/hearsay.ts'
import { Declined } from './claims/declined.ts'
import { takeStock } from './claims/stock.ts'
import { Debounce } from './debounce.ts'
import { Absence } from './deciding/absence.ts'
import { Care } from './deciding/care.ts'
import { Publications } from './deciding/publications.ts'
import { Reconciler } from './deciding/reconciler.ts'
import { Serving } from './deciding/serving.ts'
import { Succession } from './deciding/succession.ts'
import { Holders } from './fetching/holders.ts'
import type { RepairRate } from './fetching/repair-rate.ts'
import { Intake } from './intake.ts'
import { Gate } from './members/gate.ts'
import { Heart } from './members/heart.ts'
import { Nearness } from './members/nearness.ts'
import { Network } from './members/network.ts'
import { pulse } from './members/pulse.ts'
import type { ReplicationOptions } from './options.ts'
import type { Replication, ReplicationStats } from './port.ts'
import { Rounds } from './rounds.ts'
import { statsOf } from './stats.ts'

/** Wires the parts of this folder together. */
export class GraphReplication implements Replication {
  readonly #options: ReplicationOptions
  /** How far away members are: of what is asked of them here, and by audits. */
  readonly nearness = new Nearness()
  readonly #network: Network
  readonly #publications: Publications
  readonly #holders: Holders
  readonly #gate: Gate
  readonly #pass = new Debounce(() => this.#reconcileAll(), 500, 3_000)
  readonly #heart: Heart
  readonly #notice: HoldingsNotice
  readonly #declined: Declined
  readonly #care: Care
  readonly #absence: Absence
  readonly #reconciler: Reconciler
  readonly #succession: Succession
  readonly #intake: Intake
  readonly #hearsay: Hearsay
  readonly #watches: (() => void)[] = []
  readonly #rounds: Rounds

  constructor(options: ReplicationOptions) {
    this.#options = options
    const { graph, library, swarm, egress, identity, room, repair, policy, log, now } = options
    const self = identity.id
    const clock = (): number => performance.now()
    this.#publications = new Publications({ self, graph, now })
    this.#network = new Network({
      self,
      graph,
      graceMs: repair.graceMs,
      now,
      clock,
      own: (infoHash) => (this.#declined.has(infoHash) ? 'refused' : this.#notice.stateOf(infoHash)),
      isPinned: (infoHash) => policy.pins(infoHash),
      moved: () => this.#pass.request(),
      appeared: (id) => {
        if (id === self) return
        this.#heart.answer()
        this.#hearsay.welcome(id)
      },
      // Of copies it matters to a drain alone whether their holder is suspected for a while.
      returned: () => this.#care.healths.isDraining && this.#pass.request(),
      claimed: (id, infoHashes) => {
        this.#hearsay.claimed(id, infoHashes)
        this.#care.look(infoHashes)
      },
      proved: (infoHashes) => this.#care.look(infoHashes),
      log,
    })
    const { index, roster } = this.#network
    this.#holders = new Holders({ self, roster, index, library, egress, nearness: this.nearness, now })
    this.#gate = new Gate({
      links: () => graph.stats().links,
      dials: options.dials,
      moved: () => this.#pass.request(),
    })
    this.#notice = new HoldingsNotice({
      self,
      graph,
      isHidden: (infoHash) => this.#isHidden(infoHash),
      releasing: (infoHashes) => this.#care.told(infoHashes),
      log,
    })
    this.#declined = new Declined({ library, notice: this.#notice, forgiven: (infoHash) => this.touch(infoHash), now })
    this.#intake = new Intake({
      ...options,
      holders: this.#holders,
      publications: this.#publications,
      declined: this.#declined,
      isElsewhere: (infoHash) => this.#care.duties.isElsewhere(infoHash),
      settled: (infoHash) => this.touch(infoHash),
      drained: () => this.#pass.request(),
      cramped: () => this.#heart.answer(),
    })
    const { transfers, mending } = this.#intake
    this.#hearsay = new Hearsay({ index, transfers, mending })
    this.#heart = new Heart({
      graph,
      pulse: () =>
        pulse({
          ...options,
          draining: () => this.#care.healths.isDraining,
          publicItems: () => this.publicItems(),
          transfers,
          room,
        }),
      log,
    })
    const serving = new Serving({
      swarm,
      holdings: this.#notice,
      isPaused: (infoHash) => library.isPaused(infoHash),
      mend: (infoHash) => mending.add(infoHash),
      cancelTransfer: (infoHash) => this.#intake.cancel(infoHash, 'its bytes came another way'),
    })
    this.#care = new Care({
      ...options,
      network: this.#network,
      publications: this.#publications,
      transfers,
      notice: this.#notice,
      serving,
      clock,
      inStep: () => this.#gate.inStep && this.#reconciler.isLoaded,
      isBusy: () => this.#reconciler.isBusy,
      cancel: (infoHash, why) => this.#intake.cancel(infoHash, why),
      declined: this.#declined,
      touch: (infoHash) => this.touch(infoHash),
      drained: () => this.#heart.answer(),
    })
    this.#absence = new Absence({ library, graceMs: repair.graceMs, clock })
    this.#reconciler = new Reconciler({
      ...options,
      self,
      absence: this.#absence,
      publications: this.#publications,
      duties: this.#care.duties,
      transfers: { cancel: (infoHash, why) => this.#intake.cancel(infoHash, why) },
      serving,
    })
    this.#succession = new Succession({
      self,
      graph,
      publications: this.#publications,
      changed: (infoHash) => this.touch(infoHash),
      log,
    })
    this.#rounds = new Rounds({
      ticks: [() => this.#care.tick(), () => this.#absence.ranOut() && this.#reconciler.start()],
      passes: [() => this.#network.judge(), () => this.#care.recall(), () => this.#pass.request()],
      log,
    })
  }

  readonly isPublished: Replication['isPublished'] = (infoHash) => this.#publications.published(infoHash) !== undefined
  readonly remote: Replication['remote'] = (id, path) => this.#intake.reads.find(id, path)
  readonly touch: Replication['touch'] = (infoHash) => this.#reconciler.touchItem(infoHash)
  readonly storageChanged: Replication['storageChanged'] = () => this.#reconciler.start()
  readonly copies: Replication['copies'] = (infoHash) => this.#holders.count(infoHash, this.#gate.settled)
  readonly peers: Replication['peers'] = () => this.#network.roster.peers()
  readonly health: Replication['health'] = (infoHash) => this.#care.healths.health(infoHash)
  readonly healths: Replication['healths'] = (query) => this.#care.healths.healths(query)
  readonly totals: Replication['totals'] = () => this.#care.healths.totals()
  readonly onLevel: Replication['onLevel'] = (listener) => this.#care.healths.onLevel(listener)
  readonly repair: Replication['repair'] = (infoHash) => this.#care.healths.repair(infoHash)
  /** The policy is another one: every item is decided on anew. */
  readonly reconsider = (): void => {
    this.#care.reconsider()
    this.#pass.request()
  }
  readonly drain: Replication['drain'] = () => this.#care.healths.drain()
  readonly undrain: Replication['undrain'] = () => this.#care.healths.undrain()
  readonly draining: Replication['draining'] = () => this.#care.healths.draining()
  readonly knowsTime: Replication['knowsTime'] = () => this.#network.knowsTime()
  readonly view = (): View => this.#network.view
  readonly candidates = (): Candidate[] => this.#network.roster.candidates()
  readonly accessOf = (infoHash: string): Access | undefined => this.#publications.accessOf(infoHash)
  readonly publicItems = (): number => this.#notice.shownCount
  /** The limits of an item's traffic, which has such ones of its own: repairs share what they may take. */
  readonly limitsOf: RepairRate['limit'] = (infoHash, own) => this.#intake.copying.repairRate.limit(infoHash, own)

  async start(): Promise<void> {
    const { graph, identity, library } = this.#options
    for (const { body } of graph.entries('p')) this.#publications.learn(body.member)
    this.#declined.recall()
    this.#care.recall()
    this.#watches.push(
      // Peers are served already: what they find wrong from here on is told, what they found before is in the catalog.
      library.onCondition((infoHash) => {
        this.#care.changed(infoHash)
        this.touch(infoHash)
      }),
      graph.watch('m', (manifest) => this.#published(manifest)),
      graph.watch('d', ({ key }) => this.touch(key)),
      graph.watch('p', ({ body: { member } }) => {
        if (member === identity.id) this.#heart.answer()
        this.#succession.run()
      }),
    )
    this.#network.open()
    await this.#heart.start()
    await this.#network.takeStock()
    await takeStock(this.#options, (infoHash) => this.#notice.hold(infoHash))
    // One that came just before a stop may not have been acted on.
    for (const { key } of graph.entries('d')) if (library.head(key) !== undefined) this.touch(key)
    this.#reconciler.start()
    await this.#reconciler.idle()
    await this.#notice.open()
    this.#gate.start()
    this.#rounds.start()
  }

  async claim(infoHash: string): Promise<void> {
    this.#declined.claim(infoHash)
    await this.#intake.cancel(infoHash, 'its bytes came another way')
  }

  async leave(infoHash: string): Promise<void> {
    this.#declined.leave(infoHash)
    await this.#intake.cancel(infoHash, 'the operator removed it')
  }

  async pause(infoHash: string): Promise<void> {
    await this.#intake.cancel(infoHash, 'the operator paused it')
    await this.#options.swarm.remove(infoHash)
  }

  stats(): ReplicationStats {
    return statsOf({
      intake: this.#intake,
      care: this.#care,
      network: this.#network,
      gate: this.#gate,
      heart: this.#heart,
    })
  }

  async close(): Promise<void> {
    for (const end of this.#watches.splice(0)) end()
    this.#rounds.close()
    this.#gate.close()
    this.#pass.close()
    this.#network.close()
    this.#declined.close()
    await Promise.all([this.#heart.close(), this.#intake.close(), this.#succession.close()])
    await this.#reconciler.close()
    await this.#care.close()
    await this.#notice.close()
  }

  #published({ pub, key }: Accepted<Manifest>): void {
    this.#reconciler.touch(pub, key)
    this.#succession.published(pub, key)
  }

  /** What nobody published in public is told to members only; so is what nobody is known to have published. */
  #isHidden(infoHash: string): boolean {
    const access = this.#options.library.head(infoHash)?.access ?? this.#publications.accessOf(infoHash)
    return access !== 'public'
  }

  #reconcileAll(): void {
    if (!this.#gate.inStep) return
    this.#reconciler.touchAll()
    this.#succession.open()
  }
}
