import type { Graph, NodeId } from '@eldernode/core'
import type { Library } from '../../library/index.ts'
import { Slices } from '../slices.ts'
import { Alignment, type AlignmentOptions } from './alignment.ts'
import { differences } from './differences.ts'
import type { Duties } from './duties.ts'
import type { Serving } from './serving.ts'

export interface ReconcilerOptions extends Omit<AlignmentOptions, 'isOpen'> {
  graph: AlignmentOptions['graph'] & Pick<Graph, 'manifests'>
  library: AlignmentOptions['library'] & Pick<Library, 'heads' | 'patchy'>
  /** What is to be done about copies. */
  duties: Pick<Duties, 'look' | 'pass'>
  serving: AlignmentOptions['serving'] & Pick<Serving, 'offers' | 'offered'>
}

const retryMs = 15_000

/**
 * Brings what this node holds and serves in line with the graph. It is level-triggered: a touch names an item, and
 * what to do follows from the present state alone, so that touches may be lost, doubled or late. All of them are
 * worked off by one loop, which gives way to the event loop every few milliseconds.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #alignment: Alignment
  readonly #touched = new Set<string>()
  #passWanted = false
  /** Until a pass got through, retractions may have come before this node stopped that nobody acted on. */
  #thorough = true
  /** Whether the demands say what every manifest asks for. */
  #loaded = false
  /** Own values are published only from the first pass on, when the links have told what the network knew already. */
  #opened = false
  #work: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  readonly #failed = new Set<string>()
  #passFailed = false
  #closed = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#alignment = new Alignment({ ...options, isOpen: () => this.#opened })
  }

  /** Whether what every item asks for is known. */
  get isLoaded(): boolean {
    return this.#loaded
  }

  /** Whether anything waits to be decided, or is being. */
  get isBusy(): boolean {
    return this.#work !== undefined
  }

  /** Has one item decided on anew, after it changed here or in the graph. */
  touchItem(infoHash: string): void {
    this.#touched.add(infoHash)
    this.#wake()
  }

  /** The same, of a manifest that somebody signed. */
  touch(publisher: NodeId, infoHash: string): void {
    this.#options.publications.learn(publisher, infoHash)
    this.touchItem(infoHash)
  }

  /** Brings what the library holds in line with what the graph said before the last stop; publishes nothing yet. */
  start(): void {
    this.#passWanted = true
    this.#wake()
  }

  /** Has every item that is not in order decided on anew: when the links have told, and when live members changed. */
  touchAll(): void {
    this.#opened = true
    this.start()
  }

  /** Resolves once nothing is left to decide. */
  async idle(): Promise<void> {
    while (this.#work) await this.#work
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    this.#touched.clear()
    await this.#work
  }

  #wake(): void {
    if (this.#closed) return
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
      if (this.#touched.size > 0 || this.#passWanted) this.#wake()
    })
  }

  async #run(): Promise<void> {
    const slices = new Slices()
    await slices.next()
    await this.#drain(slices)
    if (!this.#passWanted || this.#closed) return
    this.#passWanted = false
    try {
      await this.#pass(slices)
    } catch (error) {
      this.#options.log.error({ err: error }, 'the items could not be read; tried again soon')
      this.#passFailed = true
      this.#retrySoon()
    }
  }

  async #drain(slices: Slices): Promise<void> {
    for (const infoHash of this.#touched) {
      if (this.#closed) return
      this.#touched.delete(infoHash)
      await this.#decideSafely(infoHash, true)
      if (slices.over) await slices.next()
    }
  }

  async #pass(slices: Slices): Promise<void> {
    const { library, serving, publications, duties } = this.#options
    const found = differences(this.#options, this.#thorough, (publisher) => publications.learn(publisher))
    await this.#each(found, slices, async (difference) => {
      if (!('lost' in difference)) return await this.#decideSafely(difference.infoHash, false)
      const isHere = library.storage().state === 'here'
      if (isHere && library.condition(difference.lost) === 'patchy') await serving.offerInPart(difference.lost)
      else if (library.get(difference.lost)?.state !== 'live') await serving.withdraw(difference.lost)
      else if (!isHere) await this.#alignment.offer(difference.lost)
    })
    this.#thorough = false
    if (!this.#opened || this.#closed) return
    if (!this.#loaded) {
      await this.#each(publications.load(), slices, async (infoHash) => {
        if (library.head(infoHash) !== undefined) await this.#decideSafely(infoHash, false)
      })
      this.#loaded = !this.#closed
    }
    await this.#each(duties.pass(), slices, () => Promise.resolve())
  }

  /** Takes every step, acting on those that give something, with pauses in which what was touched meanwhile is decided. */
  async #each<T>(
    steps: Iterable<T | undefined | void>,
    slices: Slices,
    act: (step: T) => Promise<void>,
  ): Promise<void> {
    for (const step of steps) {
      if (step !== undefined) await act(step)
      if (!slices.over) continue
      await slices.next()
      await this.#drain(slices)
      if (this.#closed) return
    }
  }

  /** One item that cannot be brought in line (a full disk, say) must not keep the others from it. */
  async #decideSafely(infoHash: string, changed: boolean): Promise<void> {
    try {
      await this.#decide(infoHash, changed)
    } catch (error) {
      this.#options.log.error({ err: error, infoHash }, 'item could not be reconciled; tried again soon')
      this.#failed.add(infoHash)
      this.#retrySoon()
    }
  }

  #retrySoon(): void {
    if (this.#closed) return
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined
      for (const infoHash of this.#failed) this.touchItem(infoHash)
      this.#failed.clear()
      if (this.#passFailed) this.start()
      this.#passFailed = false
    }, retryMs)
  }

  /** @param changed the item itself is the reason, and not that members came or went */
  async #decide(infoHash: string, changed: boolean): Promise<void> {
    const { publications, duties } = this.#options
    if (changed) publications.refresh(infoHash)
    await this.#alignment.bring(infoHash, changed)
    duties.look(infoHash, changed)
  }
}
