import { InvalidInputError, mediaTypeSchema } from '@eldernode/core'
import { type ItemOptions, parseItemOptions } from '../media/item-options.ts'

/**
 * What the `Upload-Metadata` of a tus upload says of the item: the item options by their names, and what Uppy and
 * tus-js-client send without being asked: `filename` and `filetype`; `name` and `type`; `relativePath`, which is of no use
 * to an item of one file. `filetype`, and a `type` that repeats it, is what a browser guessed from the name of the file
 * and declares nothing. Any other `type` is declared; it may have parameters, or be none.
 * @throws InvalidInputError
 */
export function optionsOfMetadata(metadata: Record<string, string | null>): ItemOptions & { name: string } {
  const { filename, filetype, relativePath: _relativePath, name, type, ...rest } = metadata
  const fields = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
  const declared = mediaTypeSchema.safeParse(type === filetype ? undefined : type?.split(';')[0]?.trim().toLowerCase())
  const options = parseItemOptions(
    { ...fields, name: name ?? filename ?? undefined, ...(declared.success && { type: declared.data }) },
    'Upload-Metadata',
  )
  if (options.name === undefined)
    throw new InvalidInputError('The Upload-Metadata has no name: add filename, or name, with the name of the item.')
  return { ...options, name: options.name }
}
