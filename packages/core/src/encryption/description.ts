import { base64 } from '@scure/base'
import canonicalize from 'canonicalize'
import { EldernodeError } from '../errors.ts'
import { SealBrokenError } from './errors.ts'
import { openSmall, sealSmall } from './header.ts'
import { type Description, descriptionSchema } from './schema.ts'

/** Bytes of JSON that fit an age file of 4,096 characters in base64. */
const mostBytes = 3072 - 216 - 16

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
 * Cuts the list of files to what fits; `index` says that it was cut.
 * @throws DescriptionTooLongError when the rest alone does not
 */
export function fitDescription(whole: Omit<Description, 'index'>): Description {
  if (sizeOf(whole) <= mostBytes) return whole
  const cut: Description = { ...whole, files: [], index: true }
  let left = mostBytes - sizeOf(cut)
  if (left < 0) throw new DescriptionTooLongError()
  for (const file of whole.files) {
    left -= sizeOf(file) + 1
    if (left < 0) break
    cut.files.push(file)
  }
  return cut
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

function sizeOf(value: object): number {
  return utf8.encode(canonicalize(value)).length
}
