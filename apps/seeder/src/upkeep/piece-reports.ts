import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'
import type { Library } from '../library/index.ts'
import type { PieceLedger } from '../swarm/index.ts'

export interface PieceReportsOptions {
  library: Pick<Library, 'quarantinePiece' | 'mendedPiece' | 'recordPieces' | 'check'>
  registry: Registry
  log: Logger
}

/** Has the library remember what the swarm finds out about the bytes on disk. */
export class PieceReports implements PieceLedger {
  readonly #options: PieceReportsOptions
  readonly #abort = new AbortController()
  readonly #work = new Set<Promise<void>>()
  readonly #found: Counter
  readonly #mended: Counter

  constructor(options: PieceReportsOptions) {
    this.#options = options
    const counter = (name: string, help: string) => new Counter({ name, help, registers: [options.registry] })
    this.#found = counter('eldernode_pieces_quarantined_total', 'Pieces read with wrong bytes, which were not sent.')
    this.#mended = counter('eldernode_pieces_mended_total', 'Such pieces fetched again and written in place.')
  }

  bad(infoHash: string, piece: number): void {
    const { library, log } = this.#options
    this.#found.inc()
    log.error({ infoHash, piece }, 'a piece was read with wrong bytes: not sent, and to be fetched again')
    try {
      library.quarantinePiece(infoHash, piece)
    } catch (error) {
      log.error({ err: error, infoHash, piece }, 'a wrong piece could not be noted')
    }
  }

  mended(infoHash: string, piece: number): void {
    this.#mended.inc()
    this.#options.log.info({ infoHash, piece }, 'a wrong piece was fetched again and is right on disk')
    this.#run(infoHash, () => this.#options.library.mendedPiece(infoHash, piece, this.#abort.signal))
  }

  unwritable(infoHash: string, error: Error): void {
    this.#options.log.error({ err: error, infoHash }, 'a wrong piece was fetched again and could not be written')
  }

  /** Whether it is the file or its disk that is gone, a comparison finds out. */
  failed(infoHash: string, error: unknown): void {
    this.#options.log.error({ err: error, infoHash }, 'a file could not be read for a peer')
    this.#run(infoHash, () => this.#options.library.check(infoHash))
  }

  verified(infoHash: string, times: Uint32Array): void {
    this.#options.library.recordPieces(infoHash, times)
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await Promise.all(this.#work)
  }

  #run(infoHash: string, work: () => Promise<unknown>): void {
    const running = work()
      .then(
        () => undefined,
        (error: unknown) => {
          if (!this.#abort.signal.aborted)
            this.#options.log.error({ err: error, infoHash }, 'files of an item could not be compared with the catalog')
        },
      )
      .finally(() => this.#work.delete(running))
    this.#work.add(running)
  }
}
