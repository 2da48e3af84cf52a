/** Hours of the week: from a time of day on each of some days until another, which may lie on the day after. */
export interface Schedule {
  days: readonly Day[]
  /** Local time, `HH:MM`. */
  from: string
  /** Local time, `HH:MM`; one that is not later than `from` is on the next day. */
  to: string
}

export type Day = (typeof week)[number]

const week = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** Whether `now` lies within the hours, and when that may change next. Milliseconds since 1970. */
export function at({ days, from, to }: Schedule, now: number): { within: boolean; next: number } {
  const today = new Date(now)
  let within = false
  let next = Infinity
  // The hours that began yesterday may last until tomorrow, and those that come next may be a week away.
  for (let offset = -1; offset <= 7; offset++) {
    const day = new Date(today.getFullYear(), today.getMonth(), today.getDate() + offset, 12)
    if (!days.some((name) => name === week[day.getDay()])) continue
    const start = timeOn(day, from)
    const end = timeOn(day, to, to > from ? 0 : 1)
    if (start <= now && now < end) within = true
    for (const change of [start, end]) if (change > now && change < next) next = change
  }
  return { within, next }
}

/** A time that the clocks skip is the one as much later; of one that comes twice it is the first. */
function timeOn(day: Date, time: string, later = 0): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + later, hours, minutes).getTime()
}
