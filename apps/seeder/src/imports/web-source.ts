import { EldernodeError } from '@eldernode/core'
import { request } from 'undici'
import type { Dispatcher } from 'undici'
import { importUrl } from './address.ts'
import { ImportFailedError, ImportRefusedError } from './errors.ts'
import { nameOf } from './names.ts'
import { paced, type PaceLimits } from './pace.ts'
import { assertSize, type SizeLimit } from './size-limit.ts'

const mostRedirects = 5
const usualHeadMs = 45_000
const redirects = new Set([301, 302, 303, 307, 308])

export interface WebSourceOptions extends SizeLimit {
  /** Judges each address as it is connected to. */
  dispatcher: Dispatcher
  pace: PaceLimits
  /** Milliseconds for the head of an answer, whatever is sent before it. */
  headMs?: number
  signal: AbortSignal
}

/** What a web server sends: to be read once, to its end. */
export interface WebSource {
  name: string
  /** As the server says. */
  size: number | undefined
  bytes: AsyncIterable<Uint8Array>
}

/**
 * Asks for a URL and follows at most 5 redirects, each judged like the first.
 * @throws ImportRefusedError, ImportFailedError, AddressRefusedError; the abort reason when aborted. `bytes` throws
 * those and ImportStalledError
 */
export async function openWebSource(source: string, options: WebSourceOptions): Promise<WebSource> {
  let url = importUrl(source)
  for (let followed = 0; ; followed++) {
    const response = await ask(url, options)
    const { location } = response.headers
    if (redirects.has(response.statusCode) && typeof location === 'string') {
      discard(response)
      if (followed === mostRedirects) throw new ImportFailedError(`it redirects more than ${mostRedirects} times`)
      url = importUrl(location, url)
      continue
    }
    try {
      return sourceOf(response, url, options)
    } catch (error) {
      discard(response)
      throw error
    }
  }
}

async function ask(
  url: URL,
  { dispatcher, headMs = usualHeadMs, signal }: WebSourceOptions,
): Promise<Dispatcher.ResponseData> {
  const late = new AbortController()
  // Interim answers (1xx) begin undici's own time anew, and there may be any number of them.
  const timer = setTimeout(() => late.abort(new ImportFailedError(`it gave no answer in ${headMs / 1000} s`)), headMs)
  try {
    return await request(url, {
      dispatcher,
      signal: AbortSignal.any([signal, late.signal]),
      // What is packed would be stored packed; nothing is ever unpacked here.
      headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'eldernode' },
    })
  } catch (error) {
    signal.throwIfAborted()
    throw failure(error)
  } finally {
    clearTimeout(timer)
  }
}

function sourceOf(response: Dispatcher.ResponseData, url: URL, options: WebSourceOptions): WebSource {
  const { statusCode, headers, body } = response
  if (statusCode !== 200) throw new ImportFailedError(`it answers with the status ${statusCode}`)
  const encoding = one(headers['content-encoding']) ?? 'identity'
  const transfer = one(headers['transfer-encoding']) ?? 'chunked'
  if (encoding.toLowerCase() !== 'identity' || transfer.toLowerCase() !== 'chunked')
    throw new ImportRefusedError(
      'its server packs the bytes (Content-Encoding, Transfer-Encoding), though asked not to',
    )
  const length = one(headers['content-length'])
  const size = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined
  if (size !== undefined) assertSize(size, options)
  return { name: nameOf(one(headers['content-disposition']), url), size, bytes: read(body, options) }
}

async function* read(body: AsyncIterable<Uint8Array>, { pace, signal }: WebSourceOptions): AsyncGenerator<Uint8Array> {
  try {
    yield* paced(body, pace)
  } catch (error) {
    signal.throwIfAborted()
    throw failure(error)
  }
}

/** Closes the connection: what else is sent, however much, is not read. */
function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => undefined)
  body.destroy()
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

/** In our words, whatever undici throws. */
function failure(error: unknown): Error {
  if (error instanceof EldernodeError) return error
  if (error instanceof Error && error.cause instanceof EldernodeError) return error.cause
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  const message = error instanceof Error ? error.message : String(error)
  return new ImportFailedError(`${message.slice(0, 200)}${code}`, { cause: error })
}
