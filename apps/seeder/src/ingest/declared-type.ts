import { supportedMimeTypes } from 'file-type'
import { TypeMismatchError } from './errors.ts'

/** Names that mean the same; the second is the one that is kept. */
const aliases = new Map([
  ['audio/mp3', 'audio/mpeg'],
  ['audio/wave', 'audio/wav'],
  ['audio/x-wav', 'audio/wav'],
  ['audio/vnd.wave', 'audio/wav'],
  ['audio/x-flac', 'audio/flac'],
  ['audio/m4a', 'audio/mp4'],
  ['audio/x-m4a', 'audio/mp4'],
  ['audio/opus', 'audio/ogg'],
  ['image/jpg', 'image/jpeg'],
  ['image/pjpeg', 'image/jpeg'],
  ['video/x-matroska', 'video/matroska'],
  ['audio/x-matroska', 'audio/matroska'],
  ['application/x-zip-compressed', 'application/zip'],
  ['application/x-gzip', 'application/gzip'],
  ['text/xml', 'application/xml'],
  ['text/json', 'application/json'],
])

/** Types that share a container, whose first bytes tell no more than that: the declared one may be the better one. */
const containers = [
  /^(?:video\/(?:mp4|quicktime|x-m4v|3gpp2?)|audio\/(?:mp4|3gpp2?|x-m4b|aac)|application\/mp4)$/,
  /^(?:audio|video|application)\/ogg$/,
  /^(?:audio|video)\/(?:webm|matroska)$/,
  /^(?:video|audio)\/x-ms-(?:asf|wmv|wma)$/,
  /^(?:video|audio)\/(?:mpeg|mp2t|aac|aacp)$/,
  /^image\/(?:tiff|x-[a-z0-9-]+)$/,
  /^(?:application|model|font)\/(?:[a-z0-9.+-]+\+)?xml$|^image\/svg\+xml$/,
]
/** Wrappings of other formats. */
const wrappings = new Set(['application/zip', 'application/gzip', 'application/x-cfb'])

/** What begins with nothing particular: text is told apart by its name only. */
const shapeless = /^application\/(?:octet-stream|json|vnd\.apple\.mpegurl)$|^text\//
/** Recordings may begin in the middle of a stream. */
const mayBeginAnyhow = /mpeg|mp2t|aac/
const recognised: ReadonlySet<string> = new Set(
  [...supportedMimeTypes].map(canonical).filter((type) => !shapeless.test(type)),
)

function canonical(type: string): string {
  return aliases.get(type) ?? type
}

/**
 * The media type of bytes that look like one type and are declared as another. The bytes decide; what they leave open is
 * the publisher's to say. Threat: a file that is shown as a picture here and run as a page there.
 * @throws TypeMismatchError when they contradict each other
 */
export function agreedType(sniffed: string, declared: string, path: string): string {
  const [found, said] = [canonical(sniffed), canonical(declared)]
  if (found === said) return sniffed
  if (containers.some((family) => family.test(found) && family.test(said))) return said
  if (wrappings.has(found) && said.startsWith('application/')) return said
  // What would have been recognised is not there.
  if (shapeless.test(found) && (!recognised.has(said) || mayBeginAnyhow.test(said))) return said
  throw new TypeMismatchError(path, declared, sniffed)
}
