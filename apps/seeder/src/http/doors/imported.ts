import { setTimeout as pause } from 'node:timers/promises'
import { importUrl } from '../../imports/index.ts'
import type { Item } from '../../library/index.ts'
import type { Upload } from '../../publishing/index.ts'
import { UrlNotPublishedError } from '../errors.ts'
import type { Services } from '../services.ts'

const askEveryMs = 100

/**
 * Fetches a URL and publishes it while the client waits; one that leaves has the import cancelled.
 * @throws UrlNotPublishedError with what went wrong; the errors of asking for an import
 */
export async function imported(
  { imports, library }: Pick<Services, 'imports' | 'library'>,
  url: string,
  wanted: Omit<Upload, 'signal'>,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Item> {
  const { id } = await imports.add('url', importUrl(url).href, wanted, token)
  try {
    for (;;) {
      const { state, infoHash, error } = imports.get(id)
      const item = infoHash === undefined ? undefined : library.get(infoHash)
      if (state === 'done' && item !== undefined) return item
      if (state !== 'queued' && state !== 'running') throw new UrlNotPublishedError(error?.detail ?? `it is ${state}`)
      await pause(askEveryMs, undefined, { signal })
    }
  } catch (error) {
    if (signal.aborted) await imports.cancel(id)
    throw error
  }
}
