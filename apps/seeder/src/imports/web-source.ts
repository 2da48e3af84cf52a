import { EldernodeError } from '@eldernode/core'
import { request } from 'undici'
import type { Dispatcher } from 'undici'
import { importUrl } from './address.ts'
import { ImportChangedError, ImportFailedError, ImportRefusedError } from './errors.ts'
import { nameOf } from './names.ts'
import { paced, type PaceLimits } from './pace.ts'
import { resuming } from './resuming.ts'
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
  /** Milliseconds after which one that broke off is asked for the rest. */
  resumeMs?: number
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
 * those, ImportChangedError and ImportStalledError; when they break off, the server is asked for the rest
 */
export async function openWebSource(source: string, options: WebSourceOptions): Promise<WebSource> {
  const { response, url } = await follow(source, options, {})
  try {
    return sourceOf(response, url, source, options)
  } catch (error) {
    discard(response)
    throw error
  }
}

/** @returns the first answer that is no redirect */
async function follow(source: string, options: WebSourceOptions, headers: Record<string, string>) {
  let url = importUrl(source)
  for (let followed = 0; ; followed++) {
    const response = await ask(url, options, headers)
    const { location } = response.headers
    if (redirects.has(response.statusCode) && typeof location === 'string') {
      discard(response)
      if (followed === mostRedirects) throw new ImportFailedError(`it redirects more than ${mostRedirects} times`)
      url = importUrl(location, url)
      continue
    }
    return { response, url }
  }
}

async function ask(
  url: URL,
  { dispatcher, headMs = usualHeadMs, signal }: WebSourceOptions,
  headers: Record<string, string>,
): Promise<Dispatcher.ResponseData> {
  const late = new AbortController()
  // Interim answers (1xx) begin undici's own time anew, and there may be any number of them.
  const silence = `it gave no answer in ${headMs / 1000} s`
  const timer = setTimeout(() => late.abort(new ImportFailedError(silence, { passes: true })), headMs)
  try {
    return await request(url, {
      dispatcher,
      signal: AbortSignal.any([signal, late.signal]),
      // What is packed would be stored packed; nothing is ever unpacked here.
      headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'eldernode', ...headers },
    })
  } catch (error) {
    signal.throwIfAborted()
    throw failure(error)
  } finally {
    clearTimeout(timer)
  }
}

function sourceOf(response: Dispatcher.ResponseData, url: URL, source: string, options: WebSourceOptions): WebSource {
  const { statusCode, headers, body } = response
  if (statusCode !== 200) throw statusError(statusCode)
  const encoding = one(headers['content-encoding']) ?? 'identity'
  const transfer = one(headers['transfer-encoding']) ?? 'chunked'
  if (encoding.toLowerCase() !== 'identity' || transfer.toLowerCase() !== 'chunked')
    throw new ImportRefusedError(
      'its server packs the bytes (Content-Encoding, Transfer-Encoding), though asked not to',
    )
  const length = one(headers['content-length'])
  const size = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined
  if (size !== undefined) assertSize(size, options)
  const validator = validatorOf(headers)
  const bytes =
    size === undefined || validator === undefined
      ? read(body, options)
      : resuming(read(body, options), {
          rest: (from) => rest({ source, from, size, validator }, options),
          signal: options.signal,
          ...(options.resumeMs !== undefined && { firstMs: options.resumeMs }),
        })
  return { name: nameOf(one(headers['content-disposition']), url), size, bytes }
}

interface Rest {
  source: string
  from: number
  size: number
  validator: string
}

/**
 * What is left of a source that broke off, unless it is another one by now (RFC 9110, section 14).
 * @throws ImportFailedError and what `openWebSource` throws
 */
async function rest({ source, from, size, validator }: Rest, options: WebSourceOptions) {
  const range = { range: `bytes=${from}-`, 'if-range': validator }
  const { response } = await follow(source, options, range)
  const { statusCode, headers, body } = response
  if (statusCode === 206 && one(headers['content-range']) === `bytes ${from}-${size - 1}/${size}`)
    return read(body, options)
  discard(response)
  if (statusCode === 200 || statusCode === 206 || statusCode === 416) throw new ImportChangedError()
  throw statusError(statusCode)
}

/** What tells these bytes from others of the same address: a strong one (RFC 9110, section 13.1.5). */
function validatorOf(headers: Dispatcher.ResponseData['headers']): string | undefined {
  const tag = one(headers['etag'])
  return tag?.startsWith('"') === true ? tag : one(headers['last-modified'])
}

function statusError(statusCode: number): ImportFailedError {
  const passes = statusCode >= 500 || statusCode === 408 || statusCode === 429
  return new ImportFailedError(`it answers with the status ${statusCode}`, { passes })
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
  return new ImportFailedError(`${message.slice(0, 200)}${code}`, { cause: error, passes: true })
}
