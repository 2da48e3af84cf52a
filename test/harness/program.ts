import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface ProgramOptions {
  name: string
  command: string
  args: readonly string[]
  cwd?: string
  env?: Readonly<Record<string, string>>
}

const keptLines = 400
const running = new Set<ChildProcess>()

// A test run that ends early must not leave its processes behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Settings of the developer's shell must not reach the programs under test. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ELDERNODE_')))
}

/** One real process, its output kept for conditions and for the report of a failing test. */
export class Program {
  readonly name: string
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #exit: Promise<number | NodeJS.Signals>
  #ended: number | NodeJS.Signals | undefined

  constructor({ name, command, args, cwd, env }: ProgramOptions) {
    this.name = name
    this.#child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...plainEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(this.#child)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#keep(line))
    }
    this.#exit = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#keep(error.message)
        resolve(127)
      })
      this.#child.once('exit', (code, signal) => resolve(code ?? signal ?? 0))
    })
    void this.#exit.then((ended) => {
      this.#ended = ended
      running.delete(this.#child)
    })
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} could not be started: ${this.output()}`)
    return this.#child.pid
  }

  /** The exit code or signal, once the process has ended. */
  get ended(): number | NodeJS.Signals | undefined {
    return this.#ended
  }

  exited(): Promise<number | NodeJS.Signals> {
    return this.#exit
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    if (this.#ended === undefined) this.#child.kill(signal)
    return await this.#exit
  }

  /** Asks the process to stop; one that does not within 10 s is killed, and that is an error. */
  async stop(): Promise<void> {
    if (this.#ended !== undefined) return
    this.#child.kill('SIGTERM')
    const limit = AbortSignal.timeout(10_000)
    const ended = await Promise.race([this.#exit, once(limit, 'abort').then(() => undefined)])
    if (ended === undefined) {
      await this.end('SIGKILL')
      throw new Error(`${this.name} did not stop within 10 s of SIGTERM\n${this.output()}`)
    }
  }

  /** What is read from its log lines so far; a dead process fails at once instead of after the time-out. */
  found<T>(read: (line: string) => T | undefined): T | undefined {
    for (const line of this.lines) {
      const value = read(line)
      if (value !== undefined) return value
    }
    return undefined
  }

  output(): string {
    return this.lines.map((line) => `[${this.name}] ${line}`).join('\n')
  }

  #keep(line: string): void {
    this.lines.push(line)
    // The first lines say how it started, the last how it ended.
    if (this.lines.length > keptLines) this.lines.splice(keptLines / 4, 1)
  }
}
