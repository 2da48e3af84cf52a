import { createHash, type Hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingFile } from '../../ingest/index.ts'
import type { Api } from '../api.ts'
import { IdempotencyKeyInUseError } from '../errors.ts'
import { type Answer, KeptAnswers, type Once, parseKey } from './kept-answers.ts'
import type { Services } from '../services.ts'

/** What of an answer's headers is a part of it. */
const keptHeaders = ['content-location', 'content-type', 'location', 'tus-resumable', 'upload-expires', 'upload-offset']

/**
 * Has every POST with an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) done once: sent again, it gets
 * the same answer. Only what was done is kept: a request that failed changed nothing, and may be tried again.
 */
export function answerOnce(app: Api, { library, now }: Services): void {
  const answers = new KeptAnswers(library.answers, now)
  app.decorateRequest('once', undefined)

  app.addHook('preHandler', async (request, reply) => {
    const header = request.headers['idempotency-key']
    if (request.method !== 'POST' || header === undefined || request.is404) return
    const once = answers.begin(request.caller?.owner ?? '', parseKey(String(header)))
    reply.raw.once('close', () => once.end())
    request.once = once
    const { print = printOfBody } = request.routeOptions.config
    if (print === 'form' && isForm(request)) return
    const body = print === 'form' ? printOfBody(request) : print(request)
    const answer = once.match(JSON.stringify([request.url, body]))
    if (answer !== undefined) return await replay(reply, answer)
  })

  app.addHook('onSend', async (request, reply, payload: unknown) => {
    const { once } = request
    if (once === undefined || reply.statusCode >= 300 || reply.hasHeader('idempotency-replayed')) return payload
    if (payload !== undefined && payload !== null && typeof payload !== 'string') return payload
    const headers = keptHeaders.flatMap((name) => {
      const value = reply.getHeader(name)
      return value === undefined ? [] : [[name, String(value)] as const]
    })
    await once.keep({ status: reply.statusCode, headers: Object.fromEntries(headers), body: payload ?? '' })
    return payload
  })
}

/** Sends an answer again as it was. */
export async function replay(reply: FastifyReply, { status, headers, body }: Answer): Promise<FastifyReply> {
  void reply.code(status).headers(headers).header('idempotency-replayed', 'true')
  return await reply.serializer(() => body).send(body === '' ? undefined : {})
}

/** Whose body the handler reads. */
const isForm = ({ headers }: FastifyRequest): boolean => /^\s*multipart\//i.test(headers['content-type'] ?? '')

const printOfBody = ({ body }: FastifyRequest): unknown => body ?? null

/**
 * The files of a form whose request has a key, to be read to their end. What tells the form from others are its fields
 * and files, not the lines between them, which change when it is sent again.
 * @returns the answer to the same form, when it was given one before
 */
export async function formOnce(
  once: Once,
  { url }: FastifyRequest,
  fields: object,
  files: AsyncIterable<IncomingFile>,
): Promise<AsyncIterable<IncomingFile> | Answer> {
  const print = createHash('sha256').update(JSON.stringify([url, fields]))
  const match = () => once.match(print.copy().digest())
  if (!once.isKnown) return printed(files, print, match)
  for await (const { bytes } of printed(files, print)) for await (const _ of bytes);
  const answer = match()
  // It expired while the form arrived.
  if (answer === undefined) throw new IdempotencyKeyInUseError()
  return answer
}

async function* printed(
  files: AsyncIterable<IncomingFile>,
  print: Hash,
  ended?: () => unknown,
): AsyncGenerator<IncomingFile> {
  for await (const { path, bytes } of files) {
    const hash = createHash('sha256')
    yield { path, bytes: hashed(bytes, hash) }
    print.update(JSON.stringify([path, hash.digest('hex')]))
  }
  ended?.()
}

/** Bytes as they come, each of them added to `hash`. */
export async function* hashed(bytes: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
}
