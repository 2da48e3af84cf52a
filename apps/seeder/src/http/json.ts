import { InvalidInputError } from '@eldernode/core'
import type { Api } from './api.ts'

const deepest = 64
const [quote, backslash] = [0x22, 0x5c]
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Reads JSON bodies, and none that are nested deeper than anything here needs: `JSON.parse` takes what exhausts the stack of
 * all that looks at the value afterwards.
 */
export function readJson(app: Api): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (isDeeper(body, deepest)) done(new InvalidInputError(`The body is nested more than ${deepest} levels deep.`))
    else void parse(request, body, done)
  })
}

/** One look at each character, whatever it is that was sent. */
function isDeeper(text: string, most: number): boolean {
  let depth = 0
  let inText = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (inText) {
      if (character === backslash) at++
      else if (character === quote) inText = false
    } else if (character === quote) inText = true
    else if (character === openList || character === openObject) {
      if (++depth > most) return true
    } else if (character === closeList || character === closeObject) depth--
  }
  return false
}
