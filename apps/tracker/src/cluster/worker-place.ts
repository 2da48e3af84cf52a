import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import type { TrackerSettings } from '../config.ts'
import type { Shards, Upgrade } from '../transport/index.ts'
import { Bus } from './bus.ts'
import { asSendable, type Handle, handleOf, streamOf, takeHandle } from '../connection-handle.ts'
import { HandOvers } from './hand-overs.ts'
import { type Given, type News, type Order, orderSchema, type Report } from './orders.ts'
import type { Place } from './place.ts'
import type { Desk } from './serving-end.ts'

/** What a worker is told to do, after it has begun. */
export interface WorkerHandlers {
  change(settings: TrackerSettings): Promise<void>
  hear(news: News): void
  stop(): Promise<void>
}

type Begin = Extract<Order, { is: 'begin' }>

/** A worker process's side of its first process, which is gone when nothing is heard from it any more. */
export class WorkerPlace implements Place {
  readonly shards: Shards
  readonly workers: number
  readonly secret: Int32Array
  readonly settings: TrackerSettings
  readonly log: Logger
  readonly #bus: Bus
  #desk: Desk | undefined
  #open: (port: number) => void = () => {}
  readonly #opened: Promise<number>

  constructor({ settings, own, folder, secret }: Begin, log: Logger) {
    this.settings = settings
    this.log = log
    this.workers = settings.cluster.workers
    this.secret = Int32Array.from(secret)
    this.#bus = new Bus({
      own,
      workers: this.workers,
      folder,
      give: giveAway,
      onError: (error) => log.warn({ err: error }, 'the connection to another worker is lost'),
    })
    this.shards = this.#bus
    this.#opened = new Promise((resolve) => (this.#open = resolve))
  }

  /** Resolves to the place that the first process gives to this one. */
  static async begin(logOf: (settings: TrackerSettings, own: number) => Logger): Promise<WorkerPlace> {
    const [message] = (await once(process, 'message')) as [unknown]
    const order = orderSchema.parse(message)
    if (order.is !== 'begin') throw new TypeError(`a worker cannot begin with the order ${order.is}`)
    return new WorkerPlace(order, logOf(order.settings, order.own))
  }

  /** Heeds orders from now on. */
  follow({ change, hear, stop }: WorkerHandlers): void {
    process.on('message', (message: unknown, passed: unknown) => {
      const order = orderSchema.parse(message)
      const handle = handleOf(passed)
      if (order.is === 'open') this.#open(order.port)
      else if (order.is === 'given' && handle !== undefined) this.#take(order, handle)
      else if (order.is === 'change') void this.#change(order.settings, change)
      else if (order.is === 'news') hear(order.news)
      else if (order.is === 'ping') report({ is: 'alive' })
      else if (order.is === 'stop') void stop()
    })
    // Without its first process a worker is nobody's.
    process.once('disconnect', () => void stop())
  }

  async join(desk: Desk): Promise<number> {
    this.#desk = desk
    await this.#bus.listen(desk)
    report({ is: 'joined' })
    const port = await this.#opened
    await this.#bus.join()
    return port
  }

  async leave(): Promise<void> {
    await this.#bus.stop()
  }

  async readAll(name: string): Promise<unknown[]> {
    return await this.#bus.readAll(name)
  }

  async #change(settings: TrackerSettings, change: WorkerHandlers['change']): Promise<void> {
    const reason = await change(settings).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    report({ is: 'changed', ...(reason !== undefined && { reason }) })
  }

  #take({ upgrade, head }: Given, handle: Handle): void {
    if (this.#desk === undefined) handle.close()
    else this.#desk.socket(streamOf(handle), Buffer.from(head, 'base64'), upgrade)
  }
}

export const report = (said: Report, done?: () => void): void => {
  if (process.connected) process.send?.(said, undefined, undefined, done)
  else done?.()
}

/** On their way to other workers. */
const handOvers = new HandOvers(128)

const giveAway = (shard: number, stream: Duplex, head: Buffer, upgrade: Upgrade): boolean => {
  // A crowd at the wrong worker is served by the wrong worker.
  if (!process.connected || handOvers.isFull) return false
  const taken = takeHandle(stream, head)
  if (taken === undefined) return false
  const given: Given = {
    is: 'given',
    shard,
    upgrade: { ...upgrade, address: [...upgrade.address] },
    head: taken.head.toString('base64'),
  }
  handOvers.send(taken.handle, (done) => process.send?.(given, asSendable(taken.handle), undefined, done))
  return true
}
