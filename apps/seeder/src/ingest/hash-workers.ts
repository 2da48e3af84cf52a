import { Worker } from 'node:worker_threads'
import { HashingFailedError } from './errors.ts'
import type { FromWorker, JobResult, ToWorker } from './messages.ts'

/** One run of bytes being hashed by a worker. */
export interface HashJob {
  /**
   * Hashes the first `length` bytes of `memory`, which nobody writes until `done`; also called after a failure. In a file
   * that is encrypted, whole chunks up to the `last` bytes: then they are replaced by their ciphertext if it was `sealed`,
   * which there must be room for.
   * @throws HashingFailedError
   */
  update(memory: SharedArrayBuffer, length: number, done: (sealed: boolean) => void, last?: boolean): void
  /** The next file is encrypted once it was hashed: the payload of an age file with that key. */
  seal(key: Uint8Array): void
  /** Leaves the SHA-1 pieces out of the result. */
  dropPieces(): void
  endFile(path: string): void
  /** @throws HashingFailedError */
  finish(): Promise<JobResult>
  /** Ends the job without a result. */
  drop(): void
}

export interface JobOptions {
  /** Asks for SHA-1 pieces of this length. */
  pieceLength?: number
  /** Asks for SHA-256 and media type of each file. */
  describe?: boolean
}

/** Hashing off the main thread, by workers that all jobs share. */
export interface HashWorkers {
  open(options: JobOptions): HashJob
  close(): Promise<void>
}

interface Running {
  resolve: (result: JobResult) => void
  reject: (error: Error) => void
}

/** One thread. When it ends, whatever it was doing fails, and only that. */
class HashWorker {
  readonly #thread: Worker
  readonly #reads: ((sealed: boolean) => void)[] = []
  readonly #finishing = new Map<number, Running>()
  readonly ended: Promise<void>
  #waiting = false
  #failure: Error | undefined
  jobs = 0

  constructor(program: URL, onEnd: (worker: HashWorker) => void) {
    this.#thread = new Worker(program)
    this.#thread.on('message', (message: FromWorker) => this.#receive(message))
    this.#thread.on('error', (error) => this.#fail(error))
    this.ended = new Promise((resolve) => {
      this.#thread.once('exit', () => {
        this.#fail()
        onEnd(this)
        resolve()
      })
    })
  }

  open(id: number, { pieceLength, describe = false }: JobOptions): HashJob {
    this.jobs++
    let over = false
    const end = () => {
      if (!over) this.jobs--
      over = true
    }
    this.#post({ kind: 'start', job: id, pieceLength, describe })
    return {
      seal: (key) => this.#post({ kind: 'seal', job: id, key }),
      update: (memory, length, done, last = false) => {
        if (this.#failure !== undefined) {
          done(false)
          throw this.#failure
        }
        this.#reads.push(done)
        this.#post({ kind: 'bytes', job: id, memory, length, last })
      },
      dropPieces: () => this.#post({ kind: 'dropPieces', job: id }),
      endFile: (path) => this.#post({ kind: 'endFile', job: id, path }),
      finish: async () => {
        try {
          return await new Promise((resolve, reject) => {
            if (this.#failure !== undefined) return reject(this.#failure)
            this.#finishing.set(id, { resolve, reject })
            this.#post({ kind: 'finish', job: id })
          })
        } finally {
          end()
        }
      },
      drop: () => {
        if (!over) this.#post({ kind: 'drop', job: id })
        end()
      },
    }
  }

  async close(): Promise<void> {
    await this.#thread.terminate()
    await this.ended
  }

  #post(message: ToWorker): void {
    // A thread that works keeps the process from ending; one that waits for work does not.
    if (this.#waiting) this.#thread.ref()
    this.#waiting = false
    this.#thread.postMessage(message)
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'read') this.#reads.shift()?.(message.sealed)
    else {
      this.#finishing.get(message.job)?.resolve(message.result)
      this.#finishing.delete(message.job)
    }
    if (this.#reads.length > 0 || this.#finishing.size > 0) return
    this.#thread.unref()
    this.#waiting = true
  }

  #fail(cause?: unknown): void {
    this.#failure ??= new HashingFailedError({ cause })
    for (const { reject } of this.#finishing.values()) reject(this.#failure)
    this.#finishing.clear()
    for (const done of this.#reads.splice(0)) done(false)
  }
}

const ours = new URL(import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js', import.meta.url)

/** @param count how many threads at most; each starts with the first work that finds the others busy */
export function createHashWorkers({ count, program = ours }: { count: number; program?: URL }): HashWorkers {
  const workers = new Set<HashWorker>()
  let nextJob = 0
  const pick = () => {
    const idlest = [...workers].toSorted((a, b) => a.jobs - b.jobs)[0]
    if (idlest !== undefined && (idlest.jobs === 0 || workers.size >= count)) return idlest
    const worker = new HashWorker(program, (ended) => workers.delete(ended))
    workers.add(worker)
    return worker
  }
  return {
    open: (options) => pick().open(nextJob++, options),
    close: async () => {
      await Promise.all([...workers].map((worker) => worker.close()))
    },
  }
}
