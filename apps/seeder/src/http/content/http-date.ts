const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const [dayName, time, monthName] = ['[A-Z][a-z]{2}', String.raw`(\d{2}):(\d{2}):(\d{2})`, '([A-Z][a-z]{2})']
const preferred = new RegExp(String.raw`^${dayName}, (\d{2}) ${monthName} (\d{4}) ${time} GMT$`)
const rfc850 = new RegExp(String.raw`^[A-Z][a-z]{5,8}, (\d{2})-${monthName}-(\d{2}) ${time} GMT$`)
const asctime = new RegExp(String.raw`^${dayName} ${monthName} ([ \d]\d) ${time} (\d{4})$`)

/**
 * A date of HTTP (RFC 9110, section 5.6.7) in milliseconds since 1970, in any of its three forms; NaN for anything else,
 * which a recipient ignores.
 * @param now decides the century of the second form, whose year has two digits
 */
export function parseHttpDate(text: string, now: number = Date.now()): number {
  const fixed = preferred.exec(text)
  if (fixed !== null) return utc(fixed[3], fixed[2], fixed[1], fixed.slice(4))
  const old = asctime.exec(text)
  if (old !== null) return utc(old[6], old[1], old[2], old.slice(3, 6))
  const short = rfc850.exec(text)
  if (short === null) return NaN
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + Number(short[3])
  // What seems more than 50 years ahead is of the century before.
  return utc(String(year > thisYear + 50 ? year - 100 : year), short[2], short[1], short.slice(4))
}

function utc(year = '', month = '', date = '', clock: readonly string[] = []): number {
  const [hours = 99, minutes = 99, seconds = 99] = clock.map(Number)
  const at = months.indexOf(month)
  if (at < 0 || hours > 23 || minutes > 59 || seconds > 60) return NaN
  const day = Number(date)
  const moment = Date.UTC(Number(year), at, day, hours, minutes, seconds)
  // The 31st of February is no date.
  return new Date(Date.UTC(Number(year), at, day)).getUTCDate() === day ? moment : NaN
}
