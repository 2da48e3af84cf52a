import { mediaTypeSchema } from '@eldernode/core'
import { fileTypeFromBuffer } from 'file-type'

/** How many of a file's first bytes the media type is found from; what `file-type` needs at most. */
export const sniffedBytes = 4100

const unknown = 'application/octet-stream'

const textTypes = new Map([
  ['txt', 'text/plain'],
  ['log', 'text/plain'],
  ['srt', 'text/plain'],
  ['md', 'text/markdown'],
  ['csv', 'text/csv'],
  ['vtt', 'text/vtt'],
  ['html', 'text/html'],
  ['htm', 'text/html'],
  ['css', 'text/css'],
  ['js', 'text/javascript'],
  ['mjs', 'text/javascript'],
  ['json', 'application/json'],
  ['m3u8', 'application/vnd.apple.mpegurl'],
  ['mpd', 'application/dash+xml'],
  ['svg', 'image/svg+xml'],
  ['xml', 'application/xml'],
])
/** Said of any document in XML. */
const xml = 'application/xml'

// Control characters but tab, line feed, form feed and carriage return.
const controls = /[^\P{Cc}\t\n\f\r]/u

/** The media type (RFC 6838) that a file's first bytes speak for; its name counts for text only. */
export async function mediaTypeOf(head: Uint8Array, path: string): Promise<string> {
  const found = await fileTypeFromBuffer(head)
  // Without parameters such as `codecs=opus`: a manifest has none.
  const sniffed = mediaTypeSchema.safeParse(found?.mime.split(';')[0]?.trim().toLowerCase())
  const type = textTypes.get(path.slice(path.lastIndexOf('.') + 1).toLowerCase())
  if (sniffed.success) return sniffed.data === xml && type?.endsWith('+xml') === true ? type : sniffed.data
  return type !== undefined && isText(head) ? type : unknown
}

/** Whether these are the first bytes of UTF-8 text; a character may be cut at their end. */
function isText(head: Uint8Array): boolean {
  try {
    return !controls.test(new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true }))
  } catch {
    return false
  }
}
