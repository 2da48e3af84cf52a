import { ImportRefusedError } from './errors.ts'

/** Longer ones are of no server that answers. */
const mostCharacters = 2048

/**
 * A URL that may be imported from as far as its text says; where it leads is judged when it is connected to.
 *
 * Threat: a source, or a redirect of one, names a file of this machine, another protocol, or credentials that this node
 * would send to whom it does not know.
 * @throws ImportRefusedError
 */
export function importUrl(text: string, base?: URL): URL {
  if (text.length > mostCharacters) throw new ImportRefusedError(`its URL is longer than ${mostCharacters} characters`)
  if (!URL.canParse(text, base?.href)) throw new ImportRefusedError('its URL cannot be read')
  const url = new URL(text, base?.href)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ImportRefusedError(`its URL is of the protocol ${url.protocol} and not http or https`)
  if (url.username !== '' || url.password !== '') throw new ImportRefusedError('its URL carries credentials')
  url.hash = ''
  return url
}
