import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import createTorrent from 'create-torrent'
import { pino } from 'pino'
import { Egress } from '../../egress/index.ts'
import { rawEntries } from '../metainfo/bencode.ts'
import { createSwarm } from '../index.ts'
import { readMetainfo } from '../metainfo/metainfo.ts'
import type { FetchRequest, Swarm, SwarmOptions, WholeTorrent } from '../index.ts'

/** A torrent whose files lie on disk under names of no meaning. */
export interface MadeTorrent extends WholeTorrent {
  pieceLength: number
  size: number
  contents: Buffer[]
}

const build = promisify(
  createTorrent as (
    input: unknown,
    options: unknown,
    done: (error: Error | null, metainfo: Uint8Array) => void,
  ) => void,
)

/** Swarms and files of one test, on loopback and in a temporary folder; `close` undoes all of it. */
export class Workbench {
  readonly folder: string
  readonly #closers: (() => Promise<unknown>)[] = []
  /** What every swarm of the bench may seed. */
  readonly shelf = new Map<string, WholeTorrent>()

  readonly #make: (options: SwarmOptions) => Swarm

  private constructor(folder: string, make: (options: SwarmOptions) => Swarm) {
    this.folder = folder
    this.#make = make
  }

  static async open(make = createSwarm): Promise<Workbench> {
    return new Workbench(await mkdtemp(join(tmpdir(), 'swarm-')), make)
  }

  onClose(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close()
    await rm(this.folder, { recursive: true, force: true })
  }

  async swarm({
    allowPrivate = true,
    allowedOrigins = [],
    ...options
  }: Partial<SwarmOptions> & { allowPrivate?: boolean; allowedOrigins?: string[] } = {}): Promise<Swarm> {
    const egress = new Egress({ allowPrivate, allowedOrigins })
    const made = this.#make({
      port: 0,
      host: '127.0.0.1',
      trackers: [],
      shelf: { open: async (infoHash) => this.shelf.get(infoHash) },
      egress,
      logger: pino({ level: 'silent' }),
      ...options,
    })
    await made.start()
    this.onClose(async () => {
      await made.close()
      await egress.close()
    })
    return made
  }

  async torrent(name: string, files: [path: string, size: number][], pieceLength = 16_384): Promise<MadeTorrent> {
    const source = join(this.folder, `source-${randomBytes(4).toString('hex')}`, name)
    for (const [path, size] of files) {
      const absolute = files.length === 1 ? source : join(source, path)
      await mkdir(dirname(absolute), { recursive: true })
      await writeFile(absolute, randomBytes(size))
    }
    const metainfo = new Uint8Array(await build(source, { name, pieceLength, announceList: [] }))
    const infoHash = createHash('sha1')
      .update(rawEntries(metainfo).get('info') ?? '')
      .digest('hex')
    const size = files.reduce((sum, [, bytes]) => sum + bytes, 0)
    const inOrder = readMetainfo(metainfo, { infoHash, size, pieceLength }).files
    const contents = await Promise.all(
      inOrder.map(({ path }) => readFile(files.length === 1 ? source : join(source, path))),
    )
    const stored = await Promise.all(
      contents.map(async (content) => {
        const path = join(this.folder, randomBytes(8).toString('hex'))
        await writeFile(path, content)
        return { path, size: content.length }
      }),
    )
    const made = { infoHash, metainfo, files: stored, pieceLength, size, contents }
    this.shelf.set(infoHash, made)
    return made
  }

  /** Torrents of one file and its bytes, each under a name of its own. */
  async variants(count: number): Promise<MadeTorrent[]> {
    const made = await this.torrent('0000000', [['0000000', 100_000]])
    return Array.from({ length: count }, (_, index) => {
      const metainfo = Buffer.from(made.metainfo)
      metainfo.write(String(index + 1).padStart(7, '0'), metainfo.indexOf('7:0000000') + 2)
      const infoHash = createHash('sha1')
        .update(rawEntries(metainfo).get('info') ?? '')
        .digest('hex')
      const variant = { ...made, metainfo: new Uint8Array(metainfo), infoHash }
      this.shelf.set(infoHash, variant)
      return variant
    })
  }

  async request(made: MadeTorrent, more: Partial<FetchRequest> = {}): Promise<FetchRequest> {
    const target = await mkdtemp(join(this.folder, 'target-'))
    return {
      infoHash: made.infoHash,
      size: made.size,
      pieceLength: made.pieceLength,
      peers: [],
      webSeeds: [],
      filePath: (index) => join(target, String(index)),
      signal: AbortSignal.timeout(20_000),
      ...more,
    }
  }
}

/** Bytes of the objects that are still in use. */
export function liveBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
