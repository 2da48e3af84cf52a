/** A passkey has 32 characters; a longer segment than this is no passkey of any tracker. */
const longestKey = 64

/** `[/<passkey>]/announce[/<shard>]` or `[/<passkey>]/scrape`, read from the path of a request. Filled again for each. */
export class TrackerPath {
  action: 'announce' | 'scrape' = 'announce'
  /** Empty when the path has none. */
  passkey = ''
  /** -1 when the path has none. */
  shard = -1
}

/**
 * Reads the path of an announce URL, whichever transport it came by: the request of HTTP and of WebSocket, the URL data of
 * UDP (BEP 41). What follows a `?` is not read; an absent path, `/`, is an announce, for stock clients of WebSocket and UDP
 * call so.
 *
 * @returns whether it is one of these paths at all
 */
export const readPath = (text: string, into: TrackerPath): boolean => {
  into.action = 'announce'
  into.passkey = ''
  into.shard = -1
  const mark = text.indexOf('?')
  const end = mark === -1 ? text.length : mark
  if (end === 0) return true
  if (text.charCodeAt(0) !== slash) return false
  if (end === 1) return true
  let at = 1
  const second = text.indexOf('/', at)
  if (!isAction(text, at, second === -1 || second > end ? end : second)) {
    if (second === -1 || second > end || !isKey(text, at, second)) return false
    into.passkey = text.slice(at, second)
    at = second + 1
  }
  if (text.startsWith('scrape', at) && at + 6 === end) {
    into.action = 'scrape'
    return true
  }
  if (!text.startsWith('announce', at) || at + 8 > end) return false
  at += 8
  return at === end || (text.charCodeAt(at) === slash && readShard(text, at + 1, end, into))
}

const slash = 47

const isAction = (text: string, from: number, to: number): boolean =>
  (to - from === 8 && text.startsWith('announce', from)) || (to - from === 6 && text.startsWith('scrape', from))

/** Base64url without padding. */
const isKey = (text: string, from: number, to: number): boolean => {
  if (to === from || to - from > longestKey) return false
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    const letter = code | 32
    const isRight = (code >= 48 && code <= 57) || (letter >= 97 && letter <= 122) || code === 45 || code === 95
    if (!isRight) return false
  }
  return true
}

/** One to four digits. */
const readShard = (text: string, from: number, to: number, into: TrackerPath): boolean => {
  if (to === from || to - from > 4) return false
  let shard = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return false
    shard = shard * 10 + digit
  }
  into.shard = shard
  return true
}
