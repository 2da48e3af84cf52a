import type { ItemFile } from '@eldernode/core'
import type { Item } from '../library/index.ts'

/** The files of an item that say what it is, by their sniffed types. */
export interface Plan {
  /** Sounds and films, in item order. */
  recordings: ItemFile[]
  /** The picture that stands for the item: a cover, or the first one. */
  picture: ItemFile | undefined
  /** Whether the item is that picture and nothing else. */
  alone: boolean
}

/** As many tracks as a manifest may name. */
const mostRecordings = 100
const recording = /^(?:audio|video)\/|^application\/(?:ogg|mp4)$/
/** What `picture-program` reads; SVG is small by itself, and a program more than a picture. */
const picture = /^image\/(?:jpeg|png|apng|webp|gif|tiff|avif)$/
const coverName = /(?:^|[/ _-])(?:cover|folder|front|album|artwork)[^/]*$/i

export function planOf({ files }: Pick<Item, 'files'>): Plan {
  const pictures = files.filter(({ type }) => picture.test(type))
  return {
    recordings: files.filter(({ type }) => recording.test(type)).slice(0, mostRecordings),
    picture: pictures.find(({ path }) => coverName.test(path)) ?? pictures[0],
    alone: files.length === 1 && pictures.length === 1,
  }
}

/**
 * Whether there is anything to describe. Previews have none of their own; of an encrypted item its plaintext decides, where
 * that is known: `plain`.
 */
export function isDescribable(
  { files: stored, about }: Pick<Item, 'files' | 'about'>,
  plain?: Pick<Item, 'files'>,
): boolean {
  if (about.previewOf !== undefined) return false
  if (about.encryption !== undefined && plain === undefined) return true
  const { files } = plain ?? { files: stored }
  return files.some(({ type }) => recording.test(type) || picture.test(type))
}
