import type { MediaDetails, Preview } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Item, Library } from '../library/index.ts'
import { describe, type MadePreview } from './describe.ts'
import type { Input } from './input.ts'
import { type PlainBytes, PlainDoor } from './plain-door.ts'
import { isDescribable, planOf } from './plan.ts'
import type { Describer } from './port.ts'
import { Tools, type ToolPaths } from './tools.ts'

export interface DescriberOptions {
  library: Pick<
    Library,
    'descriptions' | 'record' | 'condition' | 'onCondition' | 'file' | 'blobPath' | 'storage' | 'onStorage'
  >
  tools: ToolPaths
  /** Whether previews are made. */
  previews: boolean
  /** What an encrypted item is. @returns undefined when this node cannot read it. @throws SealBrokenError */
  reveal(item: Item): Promise<PlainItem | undefined>
  /** Publishes a preview of an item; what was published before is given back. */
  publishPreview(item: Item, preview: MadePreview, signal: AbortSignal): Promise<Preview>
  /** Adds to what is said of an item, here and in its manifest. */
  say(infoHash: string, said: { media: MediaDetails; previews: Preview[] }): Promise<void>
  /** Items at once; each has one process at a time. */
  most: number
  log: Logger
  now: () => number
}

/** What an encrypted item was before. */
export interface PlainItem extends Pick<Item, 'files' | 'about'> {
  /** The plaintext of the nth file. */
  open(n: number): Promise<PlainBytes>
}

/** A file that ends the whole process must not do so at every start. */
const mostTries = 3
const retryMs = 60_000
/** How often it is looked whether a missing tool is there. */
const toolsMs = 60_000

/** Level-triggered: what is to be done is in the catalog, and a look that comes too often does no harm. */
export class MediaDescriber implements Describer {
  readonly #options: DescriberOptions
  readonly #tools: Tools
  readonly #door = new PlainDoor()
  readonly #abort = new AbortController()
  readonly #running = new Map<string, Promise<void>>()
  /** Those whose bytes are in doubt, until they were hashed or fetched again. */
  readonly #unsound = new Set<string>()
  /** Those whose turn failed, until the next retry. */
  readonly #failed = new Set<string>()
  #retry: NodeJS.Timeout | undefined
  #ends: (() => void)[] = []
  #started = false

  constructor(options: DescriberOptions) {
    this.#options = options
    this.#tools = new Tools(options.tools, options.now)
  }

  missing(): string[] {
    return this.#tools.missing()
  }

  start(): void {
    this.#started = true
    const { library } = this.#options
    this.#ends.push(
      library.onStorage((state) => state === 'here' && this.look()),
      library.onCondition((infoHash) => this.#unsound.delete(infoHash) && this.look()),
    )
    this.#watchTools()
    this.look()
  }

  /** What is installed later describes what came before. */
  #watchTools(): void {
    const { library } = this.#options
    let absent = this.#absent()
    if (absent.length === 0) library.descriptions.resume()
    const timer = setInterval(() => {
      const before = absent
      absent = this.#absent()
      if (before.every((tool) => absent.includes(tool)) || !library.descriptions.lacking()) return
      library.descriptions.resume()
      this.look()
    }, toolsMs)
    timer.unref()
    this.#ends.push(() => clearInterval(timer))
  }

  /** Programs that are missing, of those that have something to do. */
  #absent(): string[] {
    return this.#tools.absent().filter((tool) => tool !== 'ffmpeg' || this.#options.previews)
  }

  look(): void {
    const { library, most } = this.#options
    if (!this.#started || this.#abort.signal.aborted || library.storage().state !== 'here') return
    while (this.#running.size < most) {
      const waiting = library.descriptions.next(new Set([...this.#running.keys(), ...this.#unsound, ...this.#failed]))
      if (waiting === undefined) return
      const { infoHash, tries } = waiting
      const work = this.#take(infoHash, tries).finally(() => {
        this.#running.delete(infoHash)
        this.look()
      })
      this.#running.set(infoHash, work)
    }
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('the node stops'))
    clearTimeout(this.#retry)
    for (const end of this.#ends) end()
    await Promise.all(this.#running.values())
    await this.#door.close()
  }

  async #take(infoHash: string, tries: number): Promise<void> {
    const { library, log } = this.#options
    const { signal } = this.#abort
    try {
      const item = library.record(infoHash)
      if (item?.state === 'live' && library.condition(infoHash) !== 'held') {
        this.#unsound.add(infoHash)
        return
      }
      if (tries >= mostTries) {
        log.error({ infoHash, tries }, 'an item is not described: it was begun too often')
      } else if (item?.state === 'live' && isDescribable(item)) {
        library.descriptions.tried(infoHash)
        if (await this.#describe(item)) return library.descriptions.lack(infoHash)
      }
      library.descriptions.done(infoHash)
    } catch (error) {
      if (signal.aborted) return
      log.error({ err: error, infoHash }, 'an item could not be described; tried again in a minute')
      this.#failed.add(infoHash)
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined
        this.#failed.clear()
        this.look()
      }, retryMs)
    }
  }

  /** @returns whether more could be said of it with a tool that is missing */
  async #describe(item: Item): Promise<boolean> {
    const { publishPreview, say, previews, log, reveal } = this.#options
    const { signal } = this.#abort
    const { infoHash } = item
    const isEncrypted = item.about.encryption !== undefined
    const plain = isEncrypted ? await reveal(item) : undefined
    if (isEncrypted && (plain === undefined || !isDescribable(item, plain))) return false
    const lacks = this.#absent().length > 0 && planOf(plain ?? item).recordings.length > 0
    const studio = { tools: this.#tools, previews, log, signal }
    const found = await describe(
      { infoHash, ...(plain ?? item) },
      {
        ...studio,
        use: (path, work) => (plain ? this.#usePlain(item, plain, path, work) : this.#use(item, path, work)),
      },
    )
    const made: Preview[] = []
    for (const preview of found.previews) made.push(await publishPreview(item, preview, signal))
    if (made.length + Object.keys(found.media).length > 0) await say(infoHash, { media: found.media, previews: made })
    return lacks
  }

  async #use<T>({ infoHash }: Item, path: string, work: (input: Input) => Promise<T>): Promise<T> {
    const { library } = this.#options
    const held = await library.file(infoHash, path)
    if (held?.file === undefined) throw new Error(`the file ${path} is not held any more`)
    return await work(library.blobPath(held.file.sha256))
  }

  /** The nth file of an encrypted item is in its nth stored one. */
  async #usePlain<T>(item: Item, plain: PlainItem, path: string, work: (input: Input) => Promise<T>): Promise<T> {
    const n = plain.files.findIndex((file) => file.path === path)
    return await this.#use(item, item.files[n]?.path ?? path, async () => {
      const bytes = await plain.open(n)
      try {
        return await this.#door.use(bytes, work)
      } finally {
        await bytes.close()
      }
    })
  }
}
