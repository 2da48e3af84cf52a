import { type ChildProcess, fork } from 'node:child_process'
import type { Logger } from 'pino'
import { ChangeRefusedError, WorkerFailedError } from './errors.ts'
import { asSendable, type Handle, handleOf } from '../connection-handle.ts'
import { HandOvers } from './hand-overs.ts'
import { type Given, type News, type Order, type Report, reportSchema } from './orders.ts'
import { patienceSeconds, Pulse } from './pulse.ts'

export interface WorkerProcessOptions {
  program: URL
  own: number
  /** Told to each process that is started. */
  begin: () => Extract<Order, { is: 'begin' }>
  /** Before it listens it has to hear what is known already. */
  onBegun: (tell: (news: News) => void) => Promise<void>
  onGiven: (given: Given, handle: Handle) => void
  log: Logger
}

const firstDelayMs = 100
const longestDelayMs = 10_000

/** One that has run for so long did not fail at its start. */
const steadyMs = 30_000

/** A worker says goodbye to its clients and keeps its peers; one that takes longer is ended. */
const stopMs = 4000

/** Connections that may be on their way to a worker at once; who comes beyond is hung up on. */
const mostGiving = 1024

/** One worker: its process, and the next one when that dies. */
export class WorkerProcess {
  readonly #options: WorkerProcessOptions
  #child: ChildProcess | undefined
  #port: number | undefined
  #delay = firstDelayMs
  #restart: NodeJS.Timeout | undefined
  #isStopping = false
  #isListening = false
  #hasBegun = false
  #heard: ((report: Report | undefined) => void) | undefined
  #isGone = true
  readonly #handOvers = new HandOvers(mostGiving)
  readonly #pulse = new Pulse(
    () => this.#send({ is: 'ping' }),
    () => this.#giveUp(),
  )

  constructor(options: WorkerProcessOptions) {
    this.#options = options
  }

  get isListening(): boolean {
    return this.#isListening
  }

  /** Questions for a sign of life that it has not answered. */
  get unanswered(): number {
    return this.#pulse.unanswered
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Resolves when the other workers may come in. Throws `WorkerFailedError`. */
  async begin(): Promise<void> {
    this.#spawn()
    await this.#report('joined')
    await this.#options.onBegun((news) => this.#send({ is: 'news', news }))
    this.#hasBegun = true
  }

  /** Has it listen; 0 is any free port. Resolves to the real one. Throws `WorkerFailedError`. */
  async open(port: number): Promise<number> {
    this.#send({ is: 'open', port })
    const report = await this.#report('listening')
    this.#port = report.port
    this.#isListening = true
    this.#pulse.start()
    return report.port
  }

  /** Throws `ChangeRefusedError` when it does not take the settings, `WorkerFailedError` when it has ended. */
  async change(settings: Extract<Order, { is: 'change' }>['settings']): Promise<void> {
    // One that is being started again is given them then.
    if (!this.#isListening) return
    this.#send({ is: 'change', settings })
    const { reason } = await this.#report('changed')
    if (reason !== undefined) throw new ChangeRefusedError(reason)
  }

  /** Tells what the network lists, to one that has begun. */
  tell(news: News): void {
    if (this.#hasBegun) this.#send({ is: 'news', news })
  }

  /** Hands over a connection, which ends when it cannot be. */
  give(given: Given, handle: Handle): void {
    const child = this.#child
    if (!this.#isListening || child?.connected !== true || this.#handOvers.isFull) return handle.close()
    this.#handOvers.send(handle, (done) => child.send(given, asSendable(handle), done))
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#pulse.stop()
    clearTimeout(this.#restart)
    const child = this.#child
    if (child === undefined || this.#isGone) return
    // It may end by itself while it is told to: that is no error.
    const gone = new Promise((resolve) => child.once('exit', resolve))
    this.#send({ is: 'stop' })
    const cut = setTimeout(() => child.kill('SIGKILL'), stopMs)
    await gone
    clearTimeout(cut)
  }

  #spawn(): void {
    const { program, own, begin, log } = this.#options
    const child = fork(program, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
    const began = performance.now()
    this.#child = child
    this.#isGone = false
    child.on('message', (message, handle) => this.#onMessage(message, handle))
    child.on('error', (error) => {
      log.error({ err: error, worker: own }, 'a worker cannot be started, or told something')
      // Without a process nothing else comes.
      if (child.pid === undefined) child.emit('exit', null, null)
    })
    child.once('exit', (code, signal) => {
      this.#isGone = true
      this.#pulse.stop()
      this.#handOvers.end()
      this.#isListening = false
      this.#hasBegun = false
      this.#heard?.(undefined)
      if (this.#isStopping || this.#port === undefined) return
      if (performance.now() - began > steadyMs) this.#delay = firstDelayMs
      log.error({ worker: own, code, signal, againMs: this.#delay }, 'a worker has died with the peers of its shard')
      this.#restart = setTimeout(() => void this.#again(), this.#delay)
      this.#delay = Math.min(this.#delay * 2, longestDelayMs)
    })
    this.#send(begin())
  }

  /** What goes wrong here ends the process, and so is tried again. */
  async #again(): Promise<void> {
    const { own, log } = this.#options
    try {
      await this.begin()
      await this.open(this.#port ?? 0)
      log.info({ worker: own, pid: this.pid }, 'a worker is back')
    } catch (error) {
      if (!(error instanceof WorkerFailedError)) throw error
      if (this.#isStopping) return
      log.error({ worker: own, reason: error.message }, 'a worker cannot be started again')
      this.#child?.kill('SIGKILL')
    }
  }

  /** It holds its part of the port still: clients that come there would wait for nothing. */
  #giveUp(): void {
    const { own, log } = this.#options
    const about = { worker: own, workerPid: this.pid, silentSeconds: patienceSeconds }
    log.error(about, 'a worker is stuck: it is ended, and begun again')
    this.#child?.kill('SIGKILL')
  }

  #send(order: Order): void {
    if (this.#child?.connected === true) this.#child.send(order)
  }

  #onMessage(message: unknown, passed: unknown): void {
    const { onGiven } = this.#options
    const handle = handleOf(passed)
    const report = reportSchema.parse(message)
    // Whatever it says, it lives.
    this.#pulse.heard()
    if (report.is === 'alive') return
    if (report.is !== 'given') return this.#heard?.(report)
    if (handle !== undefined) onGiven(report, handle)
  }

  /** The next report, which must be of this kind. */
  async #report<Kind extends Report['is']>(kind: Kind): Promise<Extract<Report, { is: Kind }>> {
    const report = await new Promise<Report | undefined>((resolve) => {
      if (this.#isGone) resolve(undefined)
      else this.#heard = resolve
    })
    this.#heard = undefined
    if (report?.is === kind) return report as Extract<Report, { is: Kind }>
    if (report?.is === 'failed') throw new WorkerFailedError(this.#options.own, report.reason, report.code)
    throw new WorkerFailedError(this.#options.own, 'its process has ended')
  }
}
