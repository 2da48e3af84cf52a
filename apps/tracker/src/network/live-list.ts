import type { Accepted, Denial, Graph, Manifest, NodeId } from '@eldernode/core'
import { Ends } from './ends.ts'
import { infoHashesIn, wordsOf } from './info-hash.ts'
import { type Claim, forGood, Items, retracted } from './items.ts'
import type { Lists } from './list-file.ts'
import type { Changes } from './port.ts'

export interface LiveListOptions {
  graph: Pick<Graph, 'entries' | 'get' | 'manifests' | 'speakerOf' | 'watch'>
  /** Told of what changed, soon and in parts. */
  changed(changes: Changes): void
  /** Milliseconds since 1970. */
  now: () => number
  /** Lets others have their turn while much is read. */
  pause(): Promise<void>
  /** Most items known. */
  most?: number
}

const gatherMs = 20
/** Items told in one message, and read or judged in one turn. */
const portion = 2000
const defaultMost = 5_000_000

/**
 * Which items the network serves: at least one live manifest, and no denial. Of manifests only what decides that is kept.
 * Among the keys that one speaker succeeded the speaker's own word stands instead of theirs, and else the newest.
 */
export class LiveList {
  readonly #options: LiveListOptions
  readonly #items: Items
  readonly #touched = new Set<string>()
  /** When items have to be judged again because a manifest ends. */
  readonly #ends = new Ends()
  /** Who signed anything, and who speaks for them now. */
  readonly #speakers = new Map<NodeId, NodeId>()
  #timer: NodeJS.Timeout | undefined
  #watches: (() => void)[] = []
  #loaded = false
  #settled = false

  constructor(options: LiveListOptions) {
    this.#options = options
    this.#items = new Items(options.most ?? defaultMost)
  }

  get live(): number {
    return this.#items.live
  }

  get denied(): number {
    return this.#items.denied
  }

  /** How often an item was left out because there are too many. */
  get leftOut(): number {
    return this.#items.leftOut
  }

  /** What was told before a restart; it stands until the network says otherwise. */
  assume({ live, denied }: Lists): void {
    for (const infoHash of infoHashesIn(live)) this.#items.told(infoHash, true, false)
    for (const infoHash of infoHashesIn(denied)) {
      this.#items.told(infoHash, this.#items.isToldLive(infoHash), true)
    }
  }

  /** Listens, and reads what is stored: who published what by the index alone, and those manifests that say more. */
  async load(): Promise<void> {
    const { graph, pause } = this.#options
    this.#watches = [
      graph.watch('m', ({ pub, key }) => this.#look(pub, key)),
      graph.watch('d', (denial) => this.#deny(denial)),
      graph.watch('p', () => this.#follow()),
    ]
    let read = 0
    for (const { pub, infoHash } of graph.manifests()) {
      // What was heard meanwhile is newer.
      if (!this.#items.hasClaim(infoHash, pub)) this.#claim(pub, infoHash, forGood)
      if (++read % portion === 0) await pause()
    }
    for (const which of [{ retracted: true }, { expiring: true }]) {
      for (const { pub, infoHash } of graph.manifests(which)) {
        this.#look(pub, infoHash)
        if (++read % portion === 0) await pause()
      }
    }
    for (const denial of graph.entries('d')) {
      this.#deny(denial)
      if (++read % portion === 0) await pause()
    }
    this.#loaded = true
    this.#follow()
    await this.#judgeAll()
  }

  /** Takes off what was assumed and nobody said: the network has told all that it has to tell. */
  async settle(): Promise<void> {
    this.#settled = true
    await this.#judgeAll()
  }

  /** Judges what has ended since. */
  tick(): void {
    const now = this.#options.now()
    for (const infoHash of this.#ends.take(now)) {
      this.#touch(infoHash)
      for (const { until } of this.#items.claims(infoHash)) if (until > now) this.#ends.add(infoHash, until)
    }
  }

  /** Everything that was told. */
  told(): Lists {
    return { live: wordsOf(this.#items.toldLive()), denied: wordsOf(this.#items.toldDenied()) }
  }

  /** Tells what is to be told at once. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#loaded) return
    const items = this.#items
    const [added, removed, denied, lifted]: [string[], string[], string[], string[]] = [[], [], [], []]
    for (const infoHash of this.#touched) {
      if (!items.has(infoHash)) continue
      const claims = items.claims(infoHash)
      const [wasLive, wasDenied] = [items.isToldLive(infoHash), items.isToldDenied(infoHash)]
      // What was assumed stands until the network has told all that it has to tell.
      const isDenied = items.denial(infoHash) ?? (!this.#settled && wasDenied)
      const isLive = claims.length === 0 ? !this.#settled && wasLive : !isDenied && this.#stands(claims, infoHash)
      if (isLive !== wasLive) (isLive ? added : removed).push(infoHash)
      if (isDenied !== wasDenied) (isDenied ? denied : lifted).push(infoHash)
      items.told(infoHash, isLive, isDenied)
      if (claims.length === 0 && !isLive && !isDenied) items.delete(infoHash)
    }
    this.#touched.clear()
    if (added.length + removed.length + denied.length + lifted.length === 0) return
    this.#options.changed({
      added: wordsOf(added),
      removed: wordsOf(removed),
      denied: wordsOf(denied),
      lifted: wordsOf(lifted),
    })
  }

  close(): void {
    for (const end of this.#watches.splice(0)) end()
    clearTimeout(this.#timer)
  }

  /** What a signer says now: it may lie in public and where only members see it, and the newer of both counts. */
  #look(signer: NodeId, infoHash: string): void {
    const body = this.#options.graph.get('m', signer, infoHash)?.body
    if (body !== undefined) this.#claim(signer, infoHash, untilOf(body))
  }

  #claim(signer: NodeId, infoHash: string, until: number): void {
    if (!this.#items.claim(infoHash, signer, until)) return
    if (!this.#speakers.has(signer)) this.#speakers.set(signer, this.#options.graph.speakerOf(signer))
    if (until > 0) this.#ends.add(infoHash, until)
    this.#touch(infoHash)
  }

  #deny({ key, body }: Accepted<Denial>): void {
    this.#items.deny(key, body.state === 'denied')
    this.#touch(key)
  }

  /** A certificate came: who speaks for whom may have changed, and with it whose word counts. */
  #follow(): void {
    const { graph } = this.#options
    const moved = new Set<NodeId>()
    for (const [signer, before] of this.#speakers) {
      const speaker = graph.speakerOf(signer)
      if (speaker !== before) moved.add(signer)
      this.#speakers.set(signer, speaker)
    }
    if (moved.size === 0 || !this.#loaded) return
    // Where the speaker has said nothing of an item, who speaks changes nothing.
    for (const infoHash of this.#items.ofSeveral()) this.#touch(infoHash)
  }

  #stands(claims: readonly Claim[], infoHash: string): boolean {
    const now = this.#options.now()
    const isLive = ({ until }: Claim): boolean => until === forGood || until > now
    if (claims.length === 1) return claims.some(isLive)
    const standing = new Map<NodeId, Claim>()
    for (const claim of claims) {
      const speaker = this.#speakers.get(claim.signer) ?? claim.signer
      const known = standing.get(speaker)
      const isBetter =
        known === undefined ||
        (known.signer !== speaker &&
          (claim.signer === speaker || this.#timeOf(claim, infoHash) > this.#timeOf(known, infoHash)))
      if (isBetter) standing.set(speaker, claim)
    }
    return [...standing.values()].some(isLive)
  }

  /** Kept by the graph alone: it is asked for where one node succeeded several. */
  #timeOf({ signer }: Claim, infoHash: string): number {
    return this.#options.graph.get('m', signer, infoHash)?.ts ?? 0
  }

  async #judgeAll(): Promise<void> {
    let judged = 0
    for (const infoHash of this.#items.keys()) {
      this.#touched.add(infoHash)
      if (++judged % portion !== 0) continue
      this.flush()
      await this.#options.pause()
    }
    this.flush()
  }

  /** Until all is read nothing is told, and nothing remembered: all is judged then. */
  #touch(infoHash: string): void {
    if (!this.#loaded) return
    this.#touched.add(infoHash)
    if (this.#touched.size >= portion) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), gatherMs)
  }
}

/** What ended at the very beginning of time has ended, and does not stand for good. */
const untilOf = ({ state, expiresAt }: Manifest): number => {
  if (state !== 'live') return retracted
  return expiresAt === undefined ? forGood : Math.max(1, expiresAt)
}
