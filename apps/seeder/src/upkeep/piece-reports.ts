import { InvalidInputError } from '@eldernode/core'
import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'
import { type Library, UnknownItemError } from '../library/index.ts'
import type { PieceLedger } from '../swarm/index.ts'

export interface PieceReportsOptions {
  library: Pick<Library, 'quarantinePiece' | 'mendedPiece' | 'recordPieces' | 'check' | 'look' | 'storage'>
  registry: Registry
  log: Logger
}

interface Finding {
  infoHash: string
  piece: number
  what: 'bad' | 'mended'
  /** The catalog could not be written; tried again later. */
  waits?: boolean
}

const retryMs = 60_000
/** What is found beyond this while the catalog cannot be written is found again when it is read. */
const mostUnwritten = 10_000

/**
 * Has the library remember what the swarm finds out about the bytes on disk. A catalog that cannot be written ends
 * nothing: the last that was found of each piece is kept, and written as soon as it can be.
 */
export class PieceReports implements PieceLedger {
  readonly #options: PieceReportsOptions
  readonly #abort = new AbortController()
  readonly #work = new Set<Promise<void>>()
  /** What is not in the catalog yet, by infohash and piece. */
  readonly #latest = new Map<string, Finding>()
  readonly #found: Counter
  readonly #mended: Counter
  #timer: NodeJS.Timeout | undefined
  #timesFail = false

  constructor(options: PieceReportsOptions) {
    this.#options = options
    const counter = (name: string, help: string) => new Counter({ name, help, registers: [options.registry] })
    this.#found = counter('eldernode_pieces_quarantined_total', 'Pieces read with wrong bytes, which were not sent.')
    this.#mended = counter('eldernode_pieces_mended_total', 'Such pieces fetched again and written in place.')
  }

  bad(infoHash: string, piece: number): void {
    this.#found.inc()
    this.#options.log.error({ infoHash, piece }, 'a piece was read with wrong bytes: not sent, and to be fetched again')
    this.#note({ infoHash, piece, what: 'bad' })
  }

  mended(infoHash: string, piece: number): void {
    this.#mended.inc()
    this.#options.log.info({ infoHash, piece }, 'a wrong piece was fetched again and is right on disk')
    this.#note({ infoHash, piece, what: 'mended' })
  }

  unwritable(infoHash: string, error: Error): void {
    this.#options.log.error({ err: error, infoHash }, 'a wrong piece was fetched again and could not be written')
  }

  /** Whether it is the file or its disk that is gone, a comparison finds out. */
  failed(infoHash: string, error: unknown): void {
    const { library, log } = this.#options
    log.error({ err: error, infoHash }, 'a file could not be read for a peer')
    this.#run(
      () => library.check(infoHash),
      (err) => log.error({ err, infoHash }, 'files of an item could not be compared with the catalog'),
    )
  }

  async isHere(): Promise<boolean> {
    const { library, log } = this.#options
    try {
      await library.look()
      return library.storage().state === 'here'
    } catch (error) {
      log.error({ err: error }, 'the storage folder could not be looked at')
      return false
    }
  }

  verified(infoHash: string, times: Uint32Array): void {
    try {
      this.#options.library.recordPieces(infoHash, times)
      this.#timesFail = false
    } catch (error) {
      // Once: without room on the disk of the catalog, each item that goes to sleep would say so.
      if (!this.#timesFail) this.#options.log.error({ err: error }, 'times of verified pieces could not be noted')
      this.#timesFail = true
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#abort.abort()
    await Promise.all(this.#work)
  }

  #note(finding: Finding): void {
    const { infoHash, piece, what } = finding
    const { library, log } = this.#options
    const name = `${infoHash} ${piece}`
    this.#latest.set(name, finding)
    const isLatest = () => this.#latest.get(name) === finding
    this.#run(
      async () => {
        if (what === 'bad') library.quarantinePiece(infoHash, piece)
        else await library.mendedPiece(infoHash, piece, this.#abort.signal)
        if (isLatest()) this.#latest.delete(name)
      },
      (err) => {
        if (!finding.waits) log.error({ err, infoHash, piece }, `that a piece is ${what} could not be noted`)
        if (!isLatest()) return
        finding.waits = true
        const isInVain = err instanceof UnknownItemError || err instanceof InvalidInputError
        if (isInVain || this.#latest.size > mostUnwritten) this.#latest.delete(name)
        else this.#timer ??= setTimeout(() => this.#again(), retryMs).unref()
      },
    )
  }

  #again(): void {
    this.#timer = undefined
    for (const finding of this.#latest.values()) if (finding.waits) this.#note(finding)
  }

  #run(work: () => Promise<unknown>, failed: (error: unknown) => void): void {
    const running = work()
      .then(
        () => undefined,
        (error: unknown) => {
          if (!this.#abort.signal.aborted) failed(error)
        },
      )
      .finally(() => this.#work.delete(running))
    this.#work.add(running)
  }
}
