import { ImportStalledError } from './errors.ts'

export interface PaceLimits {
  /** Milliseconds of waiting over which the rate is averaged. */
  windowMs: number
  bytesPerSecond: number
}

export const leastPace: PaceLimits = { windowMs: 60_000, bytesPerSecond: 16_384 }

/**
 * Passes on what a source sends, as long as it sends enough: the time of whoever reads does not count.
 *
 * Threat: a server that sends a byte now and then would keep one of few places for ever.
 * @throws ImportStalledError
 */
export async function* paced(
  source: AsyncIterable<Uint8Array>,
  { windowMs, bytesPerSecond }: PaceLimits,
  now: () => number = () => performance.now(),
): AsyncGenerator<Uint8Array> {
  let [waited, bytes, since] = [0, 0, now()]
  for await (const chunk of source) {
    waited += now() - since
    bytes += chunk.length
    if (waited >= windowMs) {
      if ((bytes * 1000) / waited < bytesPerSecond)
        throw new ImportStalledError(slowness(bytes, waited, bytesPerSecond))
      waited = bytes = 0
    }
    yield chunk
    since = now()
  }
}

export function slowness(bytes: number, ms: number, least: number): string {
  return `${bytes} bytes came in ${Math.round(ms / 1000)} s, where ${Math.round(least)} a second are the least`
}
