import type { Accepted, Denial, Graph, Manifest, NodeId } from '@eldernode/core'
import { infoHashesIn, wordsOf } from './info-hash.ts'
import type { Lists } from './list-file.ts'
import type { Changes } from './port.ts'

export interface LiveListOptions {
  graph: Pick<Graph, 'entries' | 'speakerOf' | 'watch'>
  /** Told of what changed, at most every `gatherMs` and in parts. */
  changed(changes: Changes): void
  /** Milliseconds since 1970. */
  now: () => number
  /** Lets others have their turn while much is read. */
  pause(): Promise<void>
  /** Most items known. */
  most?: number
}

/** What one signer says of an item. */
interface Claim {
  signer: NodeId
  /** Milliseconds since 1970 when it was signed. */
  ts: number
  /** Milliseconds since 1970 until when it stands; 0 is for good and -1 not at all. */
  until: number
  next: Claim | undefined
}

interface Item {
  claims: Claim | undefined
  /** `undefined`: nobody said. */
  isDenied: boolean | undefined
  /** What was told last. */
  toldLive: boolean
  toldDenied: boolean
}

const forGood = 0
const retracted = -1

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
  readonly #items = new Map<string, Item>()
  readonly #touched = new Set<string>()
  /** When items have to be judged again because a manifest ends. */
  readonly #ends = new Map<string, number>()
  #nextEnd = Infinity
  /** Who speaks for a signer, as far as that is another. */
  readonly #speakers = new Map<NodeId, NodeId>()
  readonly #signers = new Set<NodeId>()
  #timer: NodeJS.Timeout | undefined
  #watches: (() => void)[] = []
  #loaded = false
  #settled = false
  #live = 0
  #denied = 0
  #left = 0

  constructor(options: LiveListOptions) {
    this.#options = options
  }

  get live(): number {
    return this.#live
  }

  get denied(): number {
    return this.#denied
  }

  /** Items that were left out because there were too many. */
  get left(): number {
    return this.#left
  }

  /** What was told before a restart; it stands until the network says otherwise. */
  assume({ live, denied }: Lists): void {
    for (const infoHash of infoHashesIn(live)) this.#tellLive(this.#item(infoHash), true)
    for (const infoHash of infoHashesIn(denied)) this.#tellDenied(this.#item(infoHash), true)
  }

  /** Listens, and reads what is stored. */
  async load(): Promise<void> {
    const { graph, pause } = this.#options
    this.#watches = [
      graph.watch('m', (manifest) => this.#hear(manifest)),
      graph.watch('d', (denial) => this.#deny(denial)),
      graph.watch('p', () => this.#follow()),
    ]
    let read = 0
    for (const manifest of graph.entries('m')) {
      this.#hear(manifest)
      if (++read % portion === 0) await pause()
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
    if (now < this.#nextEnd) return
    this.#nextEnd = Infinity
    for (const [infoHash, at] of this.#ends) {
      if (at > now) this.#nextEnd = Math.min(this.#nextEnd, at)
      else {
        this.#ends.delete(infoHash)
        this.#touch(infoHash)
        for (let claim = this.#items.get(infoHash)?.claims; claim !== undefined; claim = claim.next) {
          if (claim.until > now) this.#endsAt(infoHash, claim.until)
        }
      }
    }
  }

  /** Everything that was told. */
  told(): Lists {
    const live: string[] = []
    const denied: string[] = []
    for (const [infoHash, { toldLive, toldDenied }] of this.#items) {
      if (toldLive) live.push(infoHash)
      if (toldDenied) denied.push(infoHash)
    }
    return { live: wordsOf(live), denied: wordsOf(denied) }
  }

  /** Tells what is to be told at once. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#loaded) return
    const [added, removed, denied, lifted]: [string[], string[], string[], string[]] = [[], [], [], []]
    for (const infoHash of this.#touched) {
      const item = this.#items.get(infoHash)
      if (item === undefined) continue
      // What was assumed stands until the network has told all that it has to tell.
      const isLive = item.claims === undefined ? !this.#settled && item.toldLive : this.#isLive(item)
      const isDenied = item.isDenied ?? (!this.#settled && item.toldDenied)
      if (isLive !== item.toldLive) (isLive ? added : removed).push(infoHash)
      if (isDenied !== item.toldDenied) (isDenied ? denied : lifted).push(infoHash)
      this.#tellLive(item, isLive)
      this.#tellDenied(item, isDenied)
      if (item.claims === undefined && !isDenied && !isLive) this.#items.delete(infoHash)
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

  #hear({ pub, key, ts, body }: Accepted<Manifest>): void {
    const item = this.#item(key)
    if (item === undefined) return
    const known = claimOf(item, pub)
    // What is read may be older than what was heard meanwhile, and one key may have a value in public and one that is not.
    if (known !== undefined && known.ts >= ts) return
    const until = body.state === 'live' ? (body.expiresAt ?? forGood) : retracted
    if (known === undefined) item.claims = { signer: pub, ts, until, next: item.claims }
    else Object.assign(known, { ts, until })
    if (!this.#signers.has(pub)) this.#learn(pub)
    if (until > 0) this.#endsAt(key, until)
    this.#touch(key)
  }

  #deny({ key, body }: Accepted<Denial>): void {
    const item = this.#item(key)
    if (item === undefined) return
    item.isDenied = body.state === 'denied'
    this.#touch(key)
  }

  #learn(signer: NodeId): void {
    this.#signers.add(signer)
    const speaker = this.#options.graph.speakerOf(signer)
    if (speaker !== signer) this.#speakers.set(signer, speaker)
  }

  /** A certificate came: who speaks for whom may have changed, and with it whose word counts. */
  #follow(): void {
    const moved = new Set<NodeId>()
    for (const signer of this.#signers) {
      const before = this.#speakerOf(signer)
      this.#speakers.delete(signer)
      this.#learn(signer)
      if (this.#speakerOf(signer) !== before) moved.add(signer)
    }
    if (moved.size === 0 || !this.#loaded) return
    for (const [infoHash, { claims }] of this.#items) {
      for (let claim = claims; claim !== undefined; claim = claim.next)
        if (moved.has(claim.signer)) this.#touch(infoHash)
    }
  }

  #speakerOf(signer: NodeId): NodeId {
    return this.#speakers.get(signer) ?? signer
  }

  #isLive({ claims, isDenied }: Item): boolean {
    if (isDenied === true || claims === undefined) return false
    if (claims.next === undefined) return this.#stands(claims)
    const standing = new Map<NodeId, Claim>()
    for (let claim: Claim | undefined = claims; claim !== undefined; claim = claim.next) {
      const speaker = this.#speakerOf(claim.signer)
      const known = standing.get(speaker)
      const isBetter =
        known === undefined || (known.signer !== speaker && (claim.signer === speaker || claim.ts > known.ts))
      if (isBetter) standing.set(speaker, claim)
    }
    return [...standing.values()].some((claim) => this.#stands(claim))
  }

  #stands({ until }: Claim): boolean {
    return until === forGood || until > this.#options.now()
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

  #item(infoHash: string): Item | undefined {
    const known = this.#items.get(infoHash)
    if (known !== undefined) return known
    if (this.#items.size >= (this.#options.most ?? defaultMost)) {
      this.#left++
      return undefined
    }
    const item: Item = { claims: undefined, isDenied: undefined, toldLive: false, toldDenied: false }
    this.#items.set(infoHash, item)
    return item
  }

  #tellLive(item: Item | undefined, isLive: boolean): void {
    if (item === undefined || item.toldLive === isLive) return
    item.toldLive = isLive
    this.#live += isLive ? 1 : -1
  }

  #tellDenied(item: Item | undefined, isDenied: boolean): void {
    if (item === undefined || item.toldDenied === isDenied) return
    item.toldDenied = isDenied
    this.#denied += isDenied ? 1 : -1
  }

  #endsAt(infoHash: string, at: number): void {
    this.#ends.set(infoHash, Math.min(at, this.#ends.get(infoHash) ?? Infinity))
    this.#nextEnd = Math.min(this.#nextEnd, at)
  }

  /** Until all is read nothing is told, and nothing remembered: all is judged then. */
  #touch(infoHash: string): void {
    if (!this.#loaded) return
    this.#touched.add(infoHash)
    if (this.#touched.size >= portion) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), gatherMs)
  }
}

const claimOf = ({ claims }: Item, signer: NodeId): Claim | undefined => {
  let claim = claims
  while (claim !== undefined && claim.signer !== signer) claim = claim.next
  return claim
}
