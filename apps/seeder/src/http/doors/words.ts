import { InvalidInputError } from '@eldernode/core'
import { z } from 'zod'
import { mediaIdSchema } from '../media/media-id.ts'

/** How older clients write what ours say in types. */

export const fileIdParams = z.object({ fileId: mediaIdSchema })

/** `true`, `1`, `on`, `yes` and their opposites. @returns undefined for nothing @throws InvalidInputError */
export function flag(text: string | undefined): boolean | undefined {
  if (text === undefined || text === '') return undefined
  if (/^(?:true|1|on|yes)$/i.test(text)) return true
  if (/^(?:false|0|off|no)$/i.test(text)) return false
  throw new InvalidInputError(`"${text.slice(0, 20)}" is neither true nor false.`)
}

/** A JSON list of texts, or texts with commas between. @throws InvalidInputError */
export function list(text: string | undefined): string[] {
  if (text === undefined || text.trim() === '') return []
  if (!text.trim().startsWith('[')) return text.split(',').map((part) => part.trim())
  const parsed = z.array(z.string()).safeParse(jsonOf(text))
  if (!parsed.success) throw new InvalidInputError('A list is neither JSON nor texts with commas between.')
  return parsed.data
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
