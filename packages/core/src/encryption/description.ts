import { base64 } from '@scure/base'
import canonicalize from 'canonicalize'
import { EldernodeError } from '../errors.ts'
import { SealBrokenError } from './errors.ts'
import { headBytes, openSmall, sealSmall } from './header.ts'
import { tagBytes } from './payload.ts'
import { type Description, descriptionSchema, fileIndexSchema } from './schema.ts'

/** Bytes of JSON that fit an age file of 4,096 characters in base64. */
const mostBytes = 3072 - headBytes - tagBytes

const utf8 = new TextEncoder()

/** Name, tags and details of an encrypted item together are too long for its manifest. */
export class DescriptionTooLongError extends EldernodeError {
  constructor() {
    super(
      'description_too_long',
      `Name, tags and details of an encrypted item take at most ${mostBytes} bytes together: shorten them.`,
    )
  }
}

/**
 * What fits of a description. With `indexed`, all files are listed in the item itself too, and those that there is no room
 * for are left out.
 * @throws DescriptionTooLongError when what must not be left out does not fit
 */
export function fitDescription(whole: Omit<Description, 'index'>, indexed: boolean): Description {
  const all: Description = indexed ? { ...whole, files: [], index: true } : whole
  let left = mostBytes - sizeOf(all)
  if (left < 0) throw new DescriptionTooLongError()
  if (!indexed) return all
  for (const file of whole.files) {
    left -= sizeOf(file) + 1
    if (left < 0) break
    all.files.push(file)
  }
  return all
}

/** Whether so long a list of files is to be stored in the item itself: half of the room is left for other details. */
export function needsIndex(files: Description['files']): boolean {
  return sizeOf(files) > mostBytes / 2
}

/** A manifest's `encryption.sealed`. */
export async function sealDescription(description: Description, recipient: string): Promise<string> {
  return base64.encode(await sealSmall(utf8.encode(canonicalize(description)), recipient))
}

/** @throws WrongIdentityError, SealBrokenError */
export async function openDescription(sealed: string, identity: string): Promise<Description> {
  const text = new TextDecoder().decode(await openSmall(base64.decode(sealed), identity))
  try {
    return descriptionSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new SealBrokenError('holds no description of an item', { cause })
  }
}

/** What the last stored file of an indexed item is an age file of. */
export function fileIndexOf(files: Description['files']): Uint8Array {
  return utf8.encode(canonicalize(files))
}

/** @throws SealBrokenError */
export function readFileIndex(bytes: Uint8Array): Description['files'] {
  try {
    return fileIndexSchema.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch (cause) {
    throw new SealBrokenError('holds no list of files', { cause })
  }
}

function sizeOf(value: object): number {
  return utf8.encode(canonicalize(value)).length
}
