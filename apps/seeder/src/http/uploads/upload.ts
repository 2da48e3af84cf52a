import multipart, { type Multipart, type MultipartFile } from '@fastify/multipart'
import { InvalidInputError, nameSchema } from '@eldernode/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { UnauthorizedError } from '../../access/index.ts'
import type { IncomingFile } from '../../ingest/index.ts'
import type { Api } from '../api.ts'
import { Delimiters } from './delimiters.ts'
import { announcedSha256 } from './digest.ts'
import { MalformedMultipartError, NoFileError, UnsupportedUploadError } from '../errors.ts'
import { formOnce, replay } from '../idempotency/idempotency.ts'
import { announcedSize, disconnection, Intake } from './incoming.ts'
import { itemOptionsSchema, parseItemOptions, uploadOf } from '../media/item-options.ts'
import { mediaSchema, openViewOf } from '../media/media-view.ts'
import { problems } from '../problem.ts'
import { publish, type Upload } from '../../publishing/index.ts'
import type { Services } from '../services.ts'
import type { RunningUploads } from './running-uploads.ts'

/** What the lines between the parts of a form may add to the bytes of its files. */
const framing = 16 * 2 ** 20
const fieldBytes = 64 * 1024
const mostFields = 160
const mostFieldBytes = 256 * 1024
const mostFiles = 10_000

const querySchema = itemOptionsSchema.extend({ name: nameSchema.describe('The name of the item.') })

const answers = {
  200: mediaSchema.describe('This node published the same bytes under the same name before.'),
  201: mediaSchema.describe('Published.'),
  ...problems(400, 408, 409, 413, 415, 422, 503, 507),
}

/** `POST /v1/media` and `PUT /v1/media?name=`: bytes become a published item. */
export async function uploadRoutes(app: Api, services: Services, uploads: RunningUploads): Promise<void> {
  const { limits } = services
  const publisher = ({ caller }: FastifyRequest) => {
    if (caller === undefined) throw new UnauthorizedError()
    return { owner: caller.owner, replicas: services.replicas, now: services.now() }
  }

  const answer = async (reply: FastifyReply, files: AsyncIterable<IncomingFile>, upload: Upload) => {
    const { item, created } = await uploads.track(publish(services, files, upload))
    const view = await openViewOf(item, { ...services, endpoints: services.endpoints(), viewer: reply.request })
    return reply
      .code(created ? 201 : 200)
      .header('location', view.links.self)
      .send(view)
  }

  await app.register(async (scope: FastifyInstance) => {
    const form = scope.withTypeProvider<ZodTypeProvider>()
    await form.register(multipart, {
      preservePath: true,
      limits: {
        // One more than an item may have, so that it is the ingest that says so.
        files: mostFiles + 1,
        parts: mostFiles + 1 + mostFields,
        fields: mostFields,
        fieldNameSize: 100,
        fieldSize: fieldBytes,
        fileSize: Number.MAX_SAFE_INTEGER,
        headerPairs: 32,
      },
    })
    form.route({
      method: 'POST',
      url: '/v1/media',
      config: { scope: 'media:write', print: 'form' },
      schema: {
        tags: ['media'],
        summary: 'Publish one file, or several as one item',
        description:
          'Files become one item in the order of the form; their names may carry folders. Fields go before the files.',
        consumes: ['multipart/form-data'],
        body: formDocumentation,
        response: answers,
      },
      handler: async (request, reply) => {
        refuseEncodings(request)
        // Of the form with its delimiters: whoever sends it means the file.
        if (announcedSha256(request.headers) !== undefined) throw new UnsupportedUploadError('Repr-Digest of a form')
        const announced = announcedSize(request, limits.maxUploadBytes, framing)
        const intake = new Intake(limits, malformed)
        const delimiters = Delimiters.of(request.headers['content-type'])
        request.raw.on('data', (chunk: Buffer) => delimiters?.push(chunk))
        const parts = counted(intake.steadily(request.parts()), () => delimiters?.parts)
        const { fields, first } = await readFields(parts)
        const sent = filesOf(intake, first, parts)
        const files = request.once === undefined ? sent : await formOnce(request.once, request, fields, sent)
        if ('status' in files) return await replay(reply, files)
        const options = { ...uploadOf(fields, publisher(request)), signal: disconnection(reply) }
        return await answer(reply, files, {
          ...options,
          // A little too much, for the lines between the parts: a piece length too long by that costs a second pass.
          ...(announced !== undefined && { expectedSize: announced }),
          // A chunk that the form parser passes on whole is the file's alone.
          disposable: true,
        })
      },
    })
  })

  await app.register(async (scope: FastifyInstance) => {
    const raw = scope.withTypeProvider<ZodTypeProvider>()
    raw.removeAllContentTypeParsers()
    raw.addContentTypeParser('*', (_request, body, done) => done(null, body))
    raw.route({
      method: 'PUT',
      url: '/v1/media',
      config: { scope: 'media:write' },
      schema: {
        tags: ['media'],
        summary: 'Publish the request body as one file',
        consumes: ['application/octet-stream'],
        querystring: querySchema,
        body: z.any().meta({ type: 'string', format: 'binary' }),
        response: answers,
      },
      handler: async (request, reply) => {
        refuseEncodings(request)
        const expectedSize = announcedSize(request, limits.maxUploadBytes)
        const { name } = request.query
        const sha256 = expectedSha256(request.query.sha256, announcedSha256(request.headers))
        const wanted = uploadOf({ ...request.query, sha256 }, publisher(request))
        const options = { ...wanted, signal: disconnection(reply) }
        const bytes = new Intake(limits).read(request.raw)
        return await answer(reply, one({ path: name, bytes }), {
          ...options,
          ...(expectedSize !== undefined && { expectedSize }),
          // The parser gives each chunk away.
          disposable: true,
        })
      },
    })
  })
}

const formDocumentation = z.any().meta({
  type: 'object',
  required: ['file'],
  properties: {
    ...z.toJSONSchema(itemOptionsSchema, { io: 'input' }).properties,
    file: { type: 'array', items: { type: 'string', format: 'binary' } },
  },
})

/** The stored bytes are those of the body, so a body that is packed or partial would not be what its sender means. */
function refuseEncodings({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') throw new UnsupportedUploadError('Content-Encoding')
  if (headers['content-range'] !== undefined) throw new UnsupportedUploadError('Content-Range')
}

/** The query and the headers must not contradict each other. @throws InvalidInputError */
function expectedSha256(said: string | undefined, announced: string | undefined): string | undefined {
  if (said !== undefined && announced !== undefined && said !== announced)
    throw new InvalidInputError('The sha256 of the query differs from that of Repr-Digest or Content-Digest.')
  return said ?? announced
}

async function* one(file: IncomingFile): AsyncGenerator<IncomingFile> {
  yield file
}

/** The form parser's own errors carry no code. */
export function malformed(error: unknown): unknown {
  if (error instanceof Error && 'code' in error) return error
  return new MalformedMultipartError(error instanceof Error ? error.message : String(error), { cause: error })
}

/**
 * Passes parts on. The parser drops those whose headers it cannot read, and says nothing: an item must not lack a file
 * that its publisher sent.
 */
async function* counted<T>(parts: AsyncIterable<T>, sent: () => number | undefined): AsyncGenerator<T> {
  let read = 0
  for await (const part of parts) {
    read++
    yield part
  }
  const announced = sent()
  if (announced !== undefined && announced !== read) {
    throw new MalformedMultipartError(`${announced - read} of ${announced} parts have headers that cannot be read`)
  }
}

/** Reads up to the first file. @throws NoFileError, InvalidInputError */
async function readFields(parts: AsyncIterator<Multipart>) {
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  let bytes = 0
  for (;;) {
    const next = await parts.next()
    if (next.done === true) throw new NoFileError()
    const part = next.value
    if (part.type === 'file') return { fields: parseItemOptions(fields, 'form'), first: part }
    const { fieldname, value, valueTruncated } = part
    bytes += fieldname.length + String(value).length
    if (valueTruncated || bytes > mostFieldBytes)
      throw new InvalidInputError(
        `The field ${fieldname} is longer than ${fieldBytes} bytes, or all fields together than ${mostFieldBytes}.`,
      )
    fields[fieldname] = fieldname in fields ? [fields[fieldname], value].flat() : value
  }
}

async function* filesOf(
  intake: Intake,
  first: MultipartFile,
  rest: AsyncIterable<Multipart>,
): AsyncGenerator<IncomingFile> {
  yield fileOf(intake, first)
  for await (const part of rest) {
    if (part.type === 'field') {
      throw new InvalidInputError(`The field ${part.fieldname} comes after a file: put fields before the files.`)
    }
    yield fileOf(intake, part)
  }
}

function fileOf(intake: Intake, { filename, fieldname, file }: MultipartFile): IncomingFile {
  // The form parser's types promise a name; a part that has none says nothing of it.
  if (typeof filename !== 'string') throw new InvalidInputError(`The file in the field ${fieldname} has no filename.`)
  return { path: filename, bytes: intake.read(file) }
}
