import { type FileHandle, open } from 'node:fs/promises'
import type { ItemFile } from '@eldernode/core'
import { create as contentDisposition } from 'content-disposition'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Item } from '../library/index.ts'
import type { Api } from './api.ts'
import { isUnmodified, spanOf, type Validators } from './conditions.ts'
import { FileNotFoundError, MediaNotFoundError, PathRequiredError } from './errors.ts'
import { ClientGoneError, FileSender } from './file-sender.ts'
import { itemOf, mediaIdSchema } from './media-id.ts'
import { problems } from './problem.ts'
import type { Services } from './services.ts'

const itemParams = z.object({ id: mediaIdSchema })
const pathParams = z.object({ id: mediaIdSchema, '*': z.string().max(4096) })
const query = z.object({ download: z.stringbool().optional().describe('Offer the file for saving.') })

const binary = z.any().meta({ type: 'string', format: 'binary' })
const answers = {
  200: { description: 'The whole file', content: { '*/*': { schema: binary } } },
  206: { description: 'The asked range', content: { '*/*': { schema: binary } } },
  304: z.undefined().describe('The client has these bytes.'),
  ...problems(400, 404, 410, 416, 503),
}
const documentation = { tags: ['content'], response: answers, querystring: query }

/** Media types that a browser shows without running anything in them. */
const passive = /^(?:(?:audio|video|font)\/.*|image\/(?!svg).*|text\/plain|application\/(?:octet-stream|pdf|zip|gzip))$/

/** `GET` and `HEAD` of the bytes: as files, and as the base of a web seed (BEP 19). */
export async function contentRoutes(app: Api, services: Services): Promise<void> {
  const { library, log } = services
  const sender = new FileSender(services.limits)

  const send = async (request: FastifyRequest, reply: FastifyReply, item: Item, file: ItemFile, download = false) => {
    if (!library.check(item.infoHash)) throw new MediaNotFoundError(item.infoHash)
    const current = { etag: `"${file.sha256}"`, modified: item.createdAt }
    const headers = headersOf(file, current, download)
    if (isUnmodified(request.headers, current)) return await reply.code(304).headers(headers).send()
    const { start, end, partial } = spanOf(request.headers, file.size, current)
    void reply
      .code(partial ? 206 : 200)
      .headers({ ...headers, 'content-type': file.type, 'content-length': end - start })
    if (partial) void reply.header('content-range', `bytes ${start}-${end - 1}/${file.size}`)
    if (request.method === 'HEAD') return await reply.send()
    const handle = await open(library.blobPath(file.sha256), 'r')
    return await stream(reply, handle, start, end)
  }

  const stream = async (reply: FastifyReply, handle: FileHandle, start: number, end: number) => {
    try {
      reply.hijack()
      reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string | number>)
      await sender.send(handle, reply.raw, start, end)
    } catch (error) {
      if (!(error instanceof ClientGoneError)) log.error({ err: error }, 'a file could not be sent whole')
    } finally {
      await handle.close()
    }
    return reply
  }

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/media/:id/content',
    exposeHeadRoute: false,
    schema: { ...documentation, summary: 'The bytes of an item of one file', params: itemParams },
    handler: async (request, reply) => {
      const item = itemOf(library, request.params.id)
      const [file, second] = item.files
      if (file === undefined || second !== undefined) throw new PathRequiredError(item.infoHash)
      return await send(request, reply, item, file, request.query.download)
    },
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/media/:id/content/*',
    exposeHeadRoute: false,
    schema: { ...documentation, summary: 'The bytes of one file of an item, by its path', params: pathParams },
    handler: async (request, reply) => {
      const item = itemOf(library, request.params.id)
      const file = fileOf(item, request.params['*'])
      return await send(request, reply, item, file, request.query.download)
    },
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/media/:id/ws/*',
    exposeHeadRoute: false,
    schema: { ...documentation, summary: 'Web seed: <name>, or <name>/<path> (BEP 19)', params: pathParams },
    handler: async (request, reply) => {
      const item = itemOf(library, request.params.id)
      return await send(request, reply, item, fileOf(item, withinItem(item, request.params['*'])))
    },
  })
}

/** What BitTorrent clients append to a web seed's base begins with the item's name. */
function withinItem({ infoHash, name, files }: Item, path: string): string {
  if (path === name && files.length === 1 && files[0]?.path === name) return path
  if (path.startsWith(`${name}/`)) return path.slice(name.length + 1)
  throw new FileNotFoundError(infoHash, path)
}

function fileOf({ infoHash, files }: Item, path: string): ItemFile {
  const file = files.find((candidate) => candidate.path === path)
  if (file === undefined) throw new FileNotFoundError(infoHash, path)
  return file
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
