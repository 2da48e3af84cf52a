/** Milliseconds between announces of one torrent, whatever a tracker asks for. */
const [shortest, longest] = [15_000, 4 * 60 * 60_000]

/** Milliseconds between announces to a tracker that does not say. */
export const usualInterval = 30 * 60_000

/** An interval this node can live with, from anything that a tracker sent as one, in milliseconds. */
export function interval(sent: number | undefined): number {
  if (sent === undefined || !(sent > 0)) return usualInterval
  return Math.min(Math.max(sent, shortest), longest)
}

/** The time before which a tracker does not want to hear again, in milliseconds: none when it did not say. */
export function minInterval(sent: number | undefined): number {
  return sent === undefined || !(sent > 0) ? 0 : Math.min(sent, longest)
}

/** Milliseconds until a refused torrent is announced again, after it was refused `times` in a row. */
export function refusalInterval(asked: number | undefined, times: number, usual: number, random: number): number {
  if (asked !== undefined) return Math.min(Math.max(asked, shortest), longest)
  return Math.min(Math.max(usual, usualInterval) * 2 ** (times - 1), longest) * (0.9 + random * 0.2)
}

/** Milliseconds until a refused announce is welcome, from what a tracker sent: minutes, or `never` (BEP 31). */
export function retryIn(sent: number | string | undefined): number | undefined {
  if (sent === 'never') return Infinity
  const minutes = typeof sent === 'string' && /^\d{1,6}$/.test(sent) ? Number(sent) : sent
  return typeof minutes === 'number' && minutes >= 0 ? minutes * 60_000 : undefined
}

/**
 * A tracker that knew of nobody to fetch from is asked again so soon, whatever its interval, unless it said a shortest
 * one: another half an hour without a source helps neither. One that named peers is left alone for its interval. Over
 * WebSocket nobody is named, for announces carry the offers that reach browsers, each good for a minute.
 */
const longestWithoutSources = 30_000

/** The only peer that is named may be this node itself. */
const fewestSources = 2

/** Milliseconds until what is being fetched is announced again after an answer that named so many peers. */
export function fetchingInterval(
  peers: number,
  { usual, min, wait }: { usual: number; min: number; wait: number },
): number {
  return peers < fewestSources ? Math.max(Math.min(usual, longestWithoutSources), min) : wait
}
