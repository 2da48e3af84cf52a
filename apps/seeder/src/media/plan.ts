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
 * Whether there is anything to describe. What is encrypted is not: its details and previews would tell of it in the
 * clear. Previews have none of their own.
 */
export function isDescribable({ files, access, about }: Pick<Item, 'files' | 'access' | 'about'>): boolean {
  if (access === 'private' || about.encryption !== undefined || about.previewOf !== undefined) return false
  return files.some(({ type }) => recording.test(type) || picture.test(type))
}
