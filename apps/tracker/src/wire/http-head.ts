/** What the first bytes of a connection, or those behind an answer, turn out to be. */
export const heads = {
  /** A GET that was read to its end. */
  whole: 0,
  /** It may become one. */
  partial: 1,
  /** Anything else, right or wrong: nothing of it was understood. */
  other: 2,
} as const
export type Head = (typeof heads)[keyof typeof heads]

/** Bytes of a head; whoever needs more is no client of a tracker. */
const maxHead = 8192

/** The head of one request, filled again for each. */
export class HttpHead {
  /** Up to the question mark. */
  path = ''
  /** Behind it. */
  search = ''
  /** `X-Forwarded-For`; several of them joined. */
  forwardedFor = ''
  /** The client wants no answer after this one. */
  isLast = false
  /** The connection is to become a WebSocket (RFC 6455), if the next two are right. */
  isUpgrade = false
  webSocketKey = ''
  webSocketVersion = ''
  /** Where the next request begins. */
  end = 0
}

const cr = 13
const lf = 10
const tab = 9
const space = 32
const slash = 47
const colon = 58
const question = 63
const del = 127

const method = 'GET '
const version = 'HTTP/1.'

/**
 * Reads the head of a GET without a body (RFC 9112) from a text of one character for each byte. It takes only what leaves
 * no doubt about where the request ends. All else, malformed heads included, is for a parser that knows the whole of HTTP:
 * the two of them cannot be played off against each other.
 */
export const readHead = (text: string, start: number, head: HttpHead): Head => {
  if (!text.startsWith(method, start))
    return method.startsWith(text.slice(start, start + method.length)) ? heads.partial : heads.other
  const target = start + method.length
  let at = target
  let mark = -1
  for (let code = text.charCodeAt(at); code > space && code !== del; code = text.charCodeAt(++at)) {
    if (code === question && mark === -1) mark = at
  }
  if (at === text.length) return unfinished(text, start)
  if (text.charCodeAt(at) !== space || text.charCodeAt(target) !== slash) return heads.other
  head.path = text.slice(target, mark === -1 ? at : mark)
  head.search = mark === -1 ? '' : text.slice(mark + 1, at)
  const minor = at + 1 + version.length
  if (minor + 3 > text.length) return unfinished(text, start)
  if (!text.startsWith(version, at + 1) || !isLineEnd(text, minor + 1)) return heads.other
  const isOld = text.charCodeAt(minor) === 48
  if (!isOld && text.charCodeAt(minor) !== 49) return heads.other
  head.isLast = isOld
  return readFields(text, start, minor + 3, head)
}

const readFields = (text: string, start: number, first: number, head: HttpHead): Head => {
  head.forwardedFor = ''
  head.webSocketKey = ''
  head.webSocketVersion = ''
  let isHosted = false
  let isToUpgrade = false
  let isWebSocket = false
  let at = first
  while (text.charCodeAt(at) !== cr) {
    const from = at
    while (isOfToken(text.charCodeAt(at))) at++
    const to = at
    if (to > from && text.charCodeAt(to) === colon) at++
    else return to === text.length ? unfinished(text, start) : heads.other
    let code = text.charCodeAt(at)
    while (code >= space ? code !== del : code === tab) code = text.charCodeAt(++at)
    if (at + 1 >= text.length) return unfinished(text, start)
    if (!isLineEnd(text, at)) return heads.other
    const field = fieldOf(text, from, to)
    if (field !== '') {
      const value = text.slice(to + 1, at).trim()
      if (field === 'host') {
        if (isHosted) return heads.other
        isHosted = true
      } else if (field === 'connection') {
        const words = value.toLowerCase().split(/[\t ]*,[\t ]*/)
        if (words.includes('close')) head.isLast = true
        if (words.includes('upgrade')) isToUpgrade = true
      } else if (field === 'x-forwarded-for')
        head.forwardedFor = head.forwardedFor === '' ? value : `${head.forwardedFor},${value}`
      else if (field === 'upgrade') isWebSocket = value.toLowerCase() === 'websocket'
      else if (field === 'sec-websocket-key') head.webSocketKey = value
      else if (field === 'sec-websocket-version') head.webSocketVersion = value
      else return heads.other
    }
    at += 2
  }
  if (at + 1 === text.length) return unfinished(text, start)
  head.end = at + 2
  head.isUpgrade = isToUpgrade && isWebSocket
  return isLineEnd(text, at) && isHosted && head.end - start <= maxHead ? heads.whole : heads.other
}

const unfinished = (text: string, start: number): Head => (text.length - start > maxHead ? heads.other : heads.partial)

const isLineEnd = (text: string, at: number): boolean => text.charCodeAt(at) === cr && text.charCodeAt(at + 1) === lf

/** Fields that mean something here, by their length. The last three say that a head may not be all of a request. */
const fields: readonly (readonly string[])[] = Array.from({ length: 22 }, (_, length) =>
  [
    'host',
    'connection',
    'x-forwarded-for',
    'upgrade',
    'sec-websocket-key',
    'sec-websocket-version',
    'content-length',
    'transfer-encoding',
    'expect',
  ].filter((name) => name.length === length),
)

/** The field's name in small letters, or nothing when it means nothing here. */
const fieldOf = (text: string, from: number, to: number): string => {
  for (const name of fields[to - from] ?? []) {
    let at = 0
    // Names hold letters and hyphens, which this leaves as they are.
    while (at < name.length && (text.charCodeAt(from + at) | 32) === name.charCodeAt(at)) at++
    if (at === name.length) return name
  }
  return ''
}

/** `!#$%&'*+-.^_`|~`, digits and letters (RFC 9110). */
const tokens = new Uint8Array(128)
for (const sign of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  tokens[sign.charCodeAt(0)] = 1

const isOfToken = (code: number): boolean => tokens[code] === 1
