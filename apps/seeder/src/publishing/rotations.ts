import type { Logger } from 'pino'
import type { Item } from '../library/index.ts'
import type { Published } from './publish.ts'
import { retractReplaced, rotate, type RotationServices } from './rotate.ts'

/** At the latest after so long it is looked again, also at what a stop or a failure left undone. */
const roundMs = 60_000
const retryMs = 3_600_000

export interface RotationsParts {
  services: RotationServices
  log: Pick<Logger, 'error' | 'info'>
}

/** New identities for encrypted items, asked for or on their schedules: one item at a time. */
export class Rotations {
  readonly #services: RotationServices
  readonly #log: RotationsParts['log']
  readonly #ending = new AbortController()
  readonly #running = new Map<string, Promise<Published>>()
  #queue: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> = Promise.resolve()
  /** Items whose grants or retraction failed in the last round. */
  #failing = new Set<string>()

  constructor({ services, log }: RotationsParts) {
    this.#services = services
    this.#log = log
  }

  /** Asked twice for one item, it is rotated once. It goes on when whoever asked has left. @throws as `rotate` */
  rotate(item: Item): Promise<Published> {
    const running = this.#running.get(item.infoHash)
    if (running !== undefined) return running
    const work = this.#queue.then(() => rotate(this.#services, item, this.#ending.signal))
    const over = work
      .catch(() => undefined)
      .finally(() => {
        this.#running.delete(item.infoHash)
      })
    this.#queue = over
    this.#running.set(item.infoHash, work)
    return work
  }

  /** @param every milliseconds, undefined to end the schedule */
  schedule(infoHash: string, every: number | undefined): void {
    const rotation = every === undefined ? undefined : { every, at: this.#services.now() + every }
    this.#services.library.keys.schedule(infoHash, rotation)
    this.#plan()
  }

  start(): void {
    this.#next(0)
  }

  /** Ends what is under way: an item that is not whole under its new identity stays as it was. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#ending.abort(new Error('the node is stopping'))
    await Promise.all([this.#round, this.#queue])
  }

  #plan(): void {
    const due = this.#services.library.keys.nextRotation()?.rotateAt ?? Infinity
    this.#next(Math.min(roundMs, Math.max(0, due - this.#services.now())))
  }

  #next(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#ending.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#round = this.#work().finally(() => this.#plan())
    }, ms)
    this.#timer.unref()
  }

  async #work(): Promise<void> {
    const failing = new Set<string>()
    const failed = (infoHash: string, err: unknown): void => {
      if (this.#ending.signal.aborted) return
      // One that stays as it is would be in the log each minute for ever.
      const isNew = !failing.has(infoHash) && !this.#failing.has(infoHash)
      failing.add(infoHash)
      if (isNew) this.#log.error({ err, infoHash }, 'grants or a retraction of an item are left for later')
    }
    const steps = [
      () => this.#services.encryption.grants.publishRest(failed),
      () => retractReplaced(this.#services, failed),
      () => this.#rotateDue(),
    ]
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        if (!this.#ending.signal.aborted) this.#log.error({ err: error }, 'encrypted items are looked at again later')
      }
    }
    this.#failing = failing
  }

  async #rotateDue(): Promise<void> {
    const { library, now } = this.#services
    for (;;) {
      const next = library.keys.nextRotation()
      if (next === undefined || next.rotateAt > now() || this.#ending.signal.aborted) return
      const item = library.get(next.infoHash)
      const every = library.keys.get(next.infoHash)?.rotateEvery ?? retryMs
      try {
        if (item?.state === 'live') {
          await this.rotate(item)
          continue
        }
        // Retracted, or lost here: a purge takes the key of the one, and the other is looked at again.
        library.keys.schedule(next.infoHash, { every, at: now() + retryMs })
      } catch (error) {
        if (this.#ending.signal.aborted) return
        this.#log.error({ err: error, infoHash: next.infoHash }, 'an item could not be rotated; it is tried again')
        library.keys.schedule(next.infoHash, { every, at: now() + retryMs })
      }
    }
  }
}
