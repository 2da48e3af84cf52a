import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256, sha256OfFile } from './bytes.ts'
import type { Population } from './populate.ts'
import { Program } from './program.ts'
import { until } from './until.ts'

export interface LibtorrentOptions {
  /** `host:port` of the only source. */
  peer: string
  /** Made here; what is downloaded lies in it. */
  folder: string
  /** Numbers of the items wanted. */
  wanted: readonly number[]
  /** Items under way at a time. */
  parallel: number
  /** Milliseconds. */
  within: number
}

/** Items of a population under way in one libtorrent session. */
export class LibtorrentBatch {
  readonly #population: Population
  readonly #options: LibtorrentOptions
  readonly #program: Program

  private constructor(population: Population, options: LibtorrentOptions, asked: string) {
    this.#population = population
    this.#options = options
    const script = join(import.meta.dirname, 'libtorrent-batch.py')
    this.#program = new Program({ name: 'libtorrent', command: '/usr/bin/python3', args: [script, asked] })
  }

  static async start(population: Population, options: LibtorrentOptions): Promise<LibtorrentBatch> {
    const { peer, folder, parallel, wanted } = options
    await mkdir(folder, { recursive: true })
    const infoHashes = wanted.map((index) => population.infoHash(index))
    await writeFile(`${folder}.json`, JSON.stringify({ peer, folder, parallel, infoHashes }))
    return new LibtorrentBatch(population, options, `${folder}.json`)
  }

  /** Ends it where it is; `finished` does so itself. */
  async end(): Promise<void> {
    await this.#program.end('SIGKILL')
  }

  /** Hundreds of items that are complete so far. */
  get hundreds(): number {
    return this.#program.lines.length
  }

  /**
   * Waits until each item is there, whole and right; `meanwhile` is asked all the time.
   * @throws Error naming the wrong ones, or with the client's output when it does not finish in time
   */
  async finished(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    const { within, folder, wanted } = this.#options
    try {
      await until(
        async () => {
          await meanwhile()
          return this.#program.ended !== undefined
        },
        { within, what: `libtorrent has ${wanted.length} items` },
      )
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#program.output()}`, { cause: error })
    } finally {
      await this.#program.end('SIGKILL')
    }
    if (this.#program.ended !== 0) throw new Error(`libtorrent failed\n${this.#program.output()}`)
    for (const index of wanted) {
      const got = await sha256OfFile(join(folder, this.#population.name(index)))
      if (got !== sha256(this.#population.bytes(index))) throw new Error(`item ${index} came with wrong bytes`)
    }
  }
}
