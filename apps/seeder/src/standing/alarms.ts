import type { Alarm } from './alarm.ts'

/** One that does not say since when counts from when it was first asked for. */
export type Raised = Omit<Alarm, 'since'> & { since?: number }

export interface AlarmsOptions {
  /** Each says what is wrong now, as far as it knows. */
  sources: readonly (() => readonly Raised[])[]
  now: () => number
}

/** What is wrong, by all who look for it. Nothing is remembered but since when. */
export class Alarms {
  readonly #options: AlarmsOptions
  #since = new Map<string, number>()

  constructor(options: AlarmsOptions) {
    this.#options = options
  }

  /** The oldest first. */
  current(): Alarm[] {
    const { sources, now } = this.#options
    const before = this.#since
    this.#since = new Map()
    return sources
      .flatMap((raised) => raised())
      .map((alarm) => {
        const key = [alarm.code, alarm.infoHash, alarm.node].join(' ')
        const since = alarm.since ?? before.get(key) ?? now()
        this.#since.set(key, since)
        return { ...alarm, since }
      })
      .toSorted((a, b) => a.since - b.since)
  }
}
