import { Worker } from 'node:worker_threads'
import { EldernodeError } from '@eldernode/core'
import type { HashAnswer, HashTask } from './hash-worker.ts'

const script = new URL(import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js', import.meta.url)

export class HashingError extends EldernodeError {
  constructor(path: string, why: string) {
    super('hashing_failed', `the file ${path} could not be hashed: ${why}`)
  }
}

interface Pending {
  path: string
  resolve: (result: { sha256: string; size: number }) => void
  reject: (error: Error) => void
}

/** Hashes files off the main thread, one after the other. The thread exists from the first file on. */
export class FileHasher {
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #nextId = 0
  #closed = false

  /** @returns the SHA-256 in hex and the size of what lies at `path`. @throws HashingError */
  hash(path: string): Promise<{ sha256: string; size: number }> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new HashingError(path, 'the node stops'))
        return
      }
      const task: HashTask = { id: this.#nextId++, path }
      this.#pending.set(task.id, { path, resolve, reject })
      this.#worker ??= this.#spawn()
      this.#worker.postMessage(task)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#worker?.terminate()
    this.#fail('the node stops')
  }

  #spawn(): Worker {
    const worker = new Worker(script)
    worker.unref()
    worker.on('message', (answer: HashAnswer) => {
      const pending = this.#pending.get(answer.id)
      this.#pending.delete(answer.id)
      if ('error' in answer) pending?.reject(new HashingError(pending.path, answer.error))
      else pending?.resolve({ sha256: answer.sha256, size: answer.size })
    })
    // A thread that died takes its tasks with it; the next file gets a new one.
    worker.on('error', (error: Error) => this.#lose(worker, error.message))
    worker.on('exit', () => this.#lose(worker, 'its thread ended'))
    return worker
  }

  #lose(worker: Worker, why: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#fail(why)
  }

  #fail(why: string): void {
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { path, reject } of pending) reject(new HashingError(path, why))
  }
}
