import { type FileHandle, open } from 'node:fs/promises'
import type { ItemFile } from '@eldernode/core'
import { create as contentDisposition } from 'content-disposition'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { HeldFile, Library } from '../library/index.ts'
import { Answers, type AnswersOptions } from './answers.ts'
import type { Api } from './api.ts'
import { isUnmodified, spanOf, type Validators } from './conditions.ts'
import { FileNotFoundError, MediaPausedError, MediaRetractedError, PathRequiredError } from './errors.ts'
import { FileSender } from './file-sender.ts'
import { absence, mediaIdSchema } from './media-id.ts'
import { problems } from './problem.ts'
import type { Services } from './services.ts'

const itemParams = z.object({ id: mediaIdSchema })
const pathParams = z.object({ id: mediaIdSchema, '*': z.string().max(4096) })
const query = z.object({
  download: z
    .union([z.literal('').transform(() => true), z.stringbool()])
    .optional()
    .describe('Offer the file for saving.'),
})

const binary = z.any().meta({ type: 'string', format: 'binary' })
const responses = {
  200: { description: 'The whole file', content: { '*/*': { schema: binary } } },
  206: { description: 'The asked range', content: { '*/*': { schema: binary } } },
  304: z.undefined().describe('The client has these bytes.'),
  ...problems(400, 404, 410, 416, 503),
}
const documentation = { tags: ['content'], response: responses, querystring: query }

/** Media types that a browser shows without running anything in them. */
const passive = /^(?:(?:audio|video|font)\/.*|image\/(?!svg).*|text\/plain|application\/(?:octet-stream|pdf|zip|gzip))$/

/** What the routes of bytes work with. */
export interface ContentServices {
  library: Pick<Library, 'file' | 'blobPath' | 'isPaused' | 'head' | 'condition' | 'onCondition'>
  swarm: Pick<Services['swarm'], 'uploadPassage'>
  log: Pick<Services['log'], 'error'>
  limits: Pick<Services['limits'], 'stallMs'>
}

/** `GET` and `HEAD` of the bytes: as files, and as the base of a web seed (BEP 19). */
export async function contentRoutes(
  app: Api,
  { library, swarm, log, limits }: ContentServices,
  most: Pick<AnswersOptions, 'most' | 'mostWebSeeds'> = {},
): Promise<void> {
  const answers = new Answers({
    sender: new FileSender(limits),
    library,
    uploadPassage: (infoHash) => swarm.uploadPassage(infoHash),
    failed: (error) => log.error({ err: error }, 'a file could not be sent whole'),
    ...most,
  })

  const send = async (request: FastifyRequest, reply: FastifyReply, held: Served, how: How = {}) => {
    const { infoHash, file, createdAt } = held
    const current = { etag: `"${file.sha256}"`, modified: createdAt }
    const headers = headersOf(file, current, how.download === true)
    if (isUnmodified(request.headers, current)) return await reply.code(304).headers(headers).send()
    const { start, end, partial } = spanOf(request.headers, file.size, current)
    const head = () => {
      void reply
        .code(partial ? 206 : 200)
        .headers({ ...headers, 'content-type': file.type, 'content-length': end - start })
      if (partial) void reply.header('content-range', `bytes ${start}-${end - 1}/${file.size}`)
    }
    if (request.method === 'HEAD') {
      head()
      return await reply.send()
    }
    await answers.send(
      reply.raw,
      { infoHash, span: { start, end }, isWebSeed: how.webSeed === true },
      // Opened before anything is said: an error must not carry the file's headers, caches would keep it for good.
      () => openBlob(library, held),
      () => {
        head()
        reply.hijack()
        reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string | number>)
      },
    )
    return reply
  }

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/media/:id/content',
    exposeHeadRoute: false,
    schema: { ...documentation, summary: 'The bytes of an item of one file', params: itemParams },
    handler: async (request, reply) => {
      const held = await heldFile(library, request.params.id)
      if (!held.alone) throw new PathRequiredError(held.infoHash)
      return await send(request, reply, held, { download: request.query.download })
    },
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/media/:id/content/*',
    exposeHeadRoute: false,
    schema: { ...documentation, summary: 'The bytes of one file of an item, by its path', params: pathParams },
    handler: async (request, reply) => {
      const held = await heldFile(library, request.params.id, request.params['*'])
      return await send(request, reply, held, { download: request.query.download })
    },
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/media/:id/ws/*',
    exposeHeadRoute: false,
    schema: { ...documentation, summary: 'Web seed: <name>, or <name>/<path> (BEP 19)', params: pathParams },
    handler: async (request, reply) => {
      const { id, '*': path } = request.params
      const held = await webSeedFile(library, id, path)
      if (library.isPaused(held.infoHash)) throw new MediaPausedError(held.infoHash)
      return await send(request, reply, held, { webSeed: true })
    },
  })
}

interface How {
  /** For saving, not for showing. */
  download?: boolean | undefined
  webSeed?: boolean
}

type Served = HeldFile & { file: ItemFile }

/** @throws MediaNotFoundError, MediaRetractedError, MediaUnsoundError, FileNotFoundError, StorageSuspendedError */
async function heldFile(
  library: Pick<Library, 'file' | 'head' | 'condition'>,
  id: string,
  path?: string,
): Promise<Served> {
  const held = await library.file(id, path)
  if (held === undefined) throw absence(library, id)
  if (held.state === 'retracted') throw new MediaRetractedError(id)
  if (held.file === undefined) throw new FileNotFoundError(id, path ?? '')
  return { ...held, file: held.file }
}

/** @throws MediaNotFoundError, MediaUnsoundError when it was removed or lost at this very moment */
async function openBlob(
  library: Pick<Library, 'blobPath' | 'head' | 'condition'>,
  { infoHash, file }: Served,
): Promise<FileHandle> {
  try {
    return await open(library.blobPath(file.sha256), 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw absence(library, infoHash)
    throw error
  }
}

/**
 * What BitTorrent clients append to a web seed's base: the item's name, and the path if it is a folder. WebTorrent
 * appends nothing for a single file.
 */
async function webSeedFile(
  library: Pick<Library, 'file' | 'head' | 'condition'>,
  id: string,
  path: string,
): Promise<Served> {
  const first = await heldFile(library, id)
  if (first.alone && first.file.path === first.name && (path === first.name || path === '')) return first
  if (!path.startsWith(`${first.name}/`)) throw new FileNotFoundError(id, path)
  return await heldFile(library, id, path.slice(first.name.length + 1))
}

function headersOf({ path, type }: ItemFile, { etag, modified }: Validators, download: boolean) {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return {
    'content-disposition': contentDisposition(name, { type: download ? 'attachment' : 'inline' }),
    'accept-ranges': 'bytes',
    etag,
    'last-modified': new Date(modified).toUTCString(),
    // An address names its bytes for good; a retracted item only stops being served.
    'cache-control': 'public, max-age=31536000, immutable',
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
    // What somebody published must not run as a page of this origin.
    ...(!passive.test(type) && { 'content-security-policy': 'sandbox' }),
  }
}
