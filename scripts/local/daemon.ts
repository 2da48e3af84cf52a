import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

const keptLines = 12
const killAfterMs = 4000

/** One program of ours as a child process, its output in a log file. */
export class Daemon {
  readonly name: string
  /** Resolves to the reason when the process ends without having been asked to. */
  readonly failed: Promise<Error>
  /** Resolves once the program logs that it listens. */
  readonly listening: Promise<void>
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #lastLines: string[] = []
  #stopping = false

  constructor(name: string, args: readonly string[], logFile: string) {
    this.name = name
    this.#child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Settings of the shell are for services; here the command line says everything.
      env: Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('ELDERNODE_'))),
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve())
      this.#child.once('error', () => resolve())
    })
    this.failed = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(new Error(`${name} cannot be started: ${error.message}`)))
      this.#child.once('close', (code, signal) => {
        const lines = this.#lastLines.map((line) => `\n  ${line}`).join('')
        if (!this.#stopping) resolve(new Error(`${name} ended by itself (${signal ?? `code ${code}`}):${lines}`))
      })
    })
    this.listening = this.#watch(logFile)
  }

  /** Asks the process to end and waits; after 4 s it is killed. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#child.kill('SIGTERM')
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), killAfterMs)
    await this.#ended
    clearTimeout(kill)
  }

  #watch(logFile: string): Promise<void> {
    const log = createWriteStream(logFile)
    log.on('error', (error) => this.#keep(`its log cannot be written: ${error.message}`))
    return new Promise((resolve) => {
      for (const stream of [this.#child.stdout, this.#child.stderr]) {
        if (!stream) continue
        stream.pipe(log, { end: false })
        createInterface({ input: stream }).on('line', (line) => {
          this.#keep(line)
          if (line.includes('"msg":"listening"')) resolve()
        })
      }
    })
  }

  #keep(line: string): void {
    this.#lastLines.push(line)
    if (this.#lastLines.length > keptLines) this.#lastLines.shift()
  }
}
