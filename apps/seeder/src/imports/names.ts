import { nameSchema } from '@eldernode/core'
import { parse } from 'content-disposition'

const mostBytes = 255
const mostExtension = 16

/** The name of what a server sends: as its headers say, or as its URL does, made a plain name. */
export function nameOf(disposition: string | undefined, url: URL): string {
  return plainName(announced(disposition)) ?? plainName(lastPart(url)) ?? plainName(url.hostname) ?? 'import'
}

/** A plain name made of foreign text: its last part, without what no name may have; undefined when nothing is left. */
export function plainName(text: string): string | undefined {
  const last = text.split(/[/\\]/).findLast((part) => part.trim() !== '') ?? ''
  const name = shortened(
    last
      .toWellFormed()
      .replace(/\p{Cc}/gu, '')
      .trim(),
  )
  return nameSchema.safeParse(name).success ? name : undefined
}

function announced(disposition: string | undefined): string {
  if (disposition === undefined) return ''
  try {
    return parse(disposition).parameters['filename'] ?? ''
  } catch {
    // A header that is none says no name.
    return ''
  }
}

function lastPart({ pathname }: URL): string {
  const last = pathname.split('/').findLast((part) => part !== '') ?? ''
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}

/** As much as a name may have, with its extension. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= mostBytes) return name
  const [extension = ''] = /\.[a-z0-9]+$/i.exec(name.slice(-mostExtension)) ?? []
  let left = mostBytes - extension.length
  let stem = ''
  for (const character of name.slice(0, name.length - extension.length)) {
    left -= Buffer.byteLength(character)
    if (left < 0) break
    stem += character
  }
  return stem + extension
}
