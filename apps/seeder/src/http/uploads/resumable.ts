import { Server } from '@tus/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mayChange, UnauthorizedError } from '../../access/index.ts'
import { EmptyFileError } from '../../ingest/index.ts'
import type { UploadRecord } from '../../library/index.ts'
import { UploadNotFoundError } from '../../uploads/index.ts'
import type { Api } from '../api.ts'
import { TusRefusalError, UploadChecksumError } from '../errors.ts'
import { Intake } from './incoming.ts'
import { uploadOf } from '../media/item-options.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { UploadLocks } from './upload-locks.ts'
import { optionsOfMetadata } from './upload-metadata.ts'
import { UploadStore } from './upload-store.ts'

const path = '/v1/uploads'
/** How long a request that another one wants the upload of may take to write what it has. */
const drainMs = 1000

/** What tells a new upload from others. */
const described = ['upload-length', 'upload-defer-length', 'upload-metadata', 'upload-concat']

const params = z.object({ id: z.string().regex(/^[0-9a-f]{32}$/, 'must be the id of an upload') })

const uploadSchema = z
  .object({
    id: z.string(),
    state: z
      .enum(['receiving', 'published', 'failed'])
      .describe('receiving until all bytes are there and the item is published.'),
    received: z.int().describe('Bytes that are safely on disk.'),
    size: z.int().optional().describe('Bytes; absent while the client did not say.'),
    expiresAt: z.int().describe('Milliseconds since 1970: what stands still until then is forgotten.'),
    infoHash: z.string().optional().describe('The item, once it is published.'),
    error: z.object({ code: z.string(), detail: z.string() }).optional().describe('Why it cannot be published.'),
    links: z.object({ self: z.string(), item: z.string().optional() }),
  })
  .meta({ id: 'Upload' })

/** What a request of tus brings along, beyond what the tus server hands on. */
interface Exchange {
  request: FastifyRequest
  /** Of ours, to be answered instead of what the tus server makes of it. */
  failure?: Error
}

/** `/v1/uploads`: uploads that go on after an interruption (https://tus.io/protocols/resumable-upload, 1.0). */
export async function resumableRoutes(app: Api, services: Services): Promise<void> {
  const { uploads, limits, replicas, now } = services
  const exchanges = new WeakMap<object, Exchange>()
  const store = new UploadStore(uploads)
  const exchangeOf = (request: object): Exchange => {
    const exchange = exchanges.get(request)
    if (exchange === undefined) throw new Error('the tus server asks about a request that it was not given')
    return exchange
  }
  const itemLink = (infoHash: string) => `${services.endpoints().http}/v1/media/${infoHash}`

  /** Strangers' uploads are as if they were not there. */
  const own = (request: FastifyRequest): UploadRecord => {
    const { id } = params.parse(request.params)
    const upload = uploads.get(id)
    if (!mayChange(request, upload)) throw new UploadNotFoundError(id)
    return upload
  }

  const tus = new Server({
    path,
    datastore: store,
    locker: new UploadLocks(),
    lockDrainTimeout: drainMs,
    maxSize: limits.maxUploadBytes,
    // A path alone: the client knows by which name it reaches this node.
    generateUrl: (_request, { id }) => `${new URL(services.endpoints().http).pathname.replace(/\/$/, '')}${path}/${id}`,
    getFileIdFromRequest: (request) => params.safeParse(exchangeOf(request).request.params).data?.id,
    onIncomingRequest: async (webRequest) => {
      const { request } = exchangeOf(webRequest)
      if (request.method === 'POST') return
      const { id, size, received } = own(request)
      // What is whole is an item before anybody is told that it is whole.
      if (request.method === 'HEAD' && size === received) await uploads.finish(id)
    },
    onUploadCreate: async (webRequest, { metadata, size }) => {
      const { caller } = exchangeOf(webRequest).request
      if (caller === undefined) throw new UnauthorizedError()
      const context = store.wishes.getStore()
      const options = optionsOfMetadata(metadata ?? {})
      const { name } = options
      if (size === 0) throw new EmptyFileError(name)
      if (context === undefined) return {}
      if (caller.token !== undefined) context.token = caller.token
      context.wish = { ...uploadOf(options, { owner: caller.owner, replicas, now: now() }), name }
      return {}
    },
    onUploadFinish: async (_request, { id }) => ({
      headers: { 'Content-Location': itemLink(await uploads.finish(id)) },
    }),
    onResponseError: (webRequest, error) => {
      if (error instanceof Error) exchangeOf(webRequest).failure ??= error
      return undefined
    },
  })

  const handle = async (request: FastifyRequest, reply: FastifyReply) => {
    // The tus server would ignore it, and its client would take wrong bytes for checked ones.
    if (request.headers['upload-checksum'] !== undefined) throw new UploadChecksumError()
    const exchange: Exchange = { request }
    const webRequest = webRequestOf(exchange, limits)
    exchanges.set(webRequest, exchange)
    const response = await store.wishes.run({}, () => tus.handleWeb(webRequest))
    for (const [name, value] of response.headers)
      if (!/^(access-control-|content-(length|type)$)/.test(name)) void reply.header(name, value)
    if (response.status >= 400) {
      if (response.status === 412) void reply.header('tus-version', '1.0.0')
      throw exchange.failure ?? new TusRefusalError(response.status, await response.text())
    }
    if (request.method === 'HEAD') {
      const { infoHash } = uploads.get(params.parse(request.params).id)
      if (infoHash !== undefined) void reply.header('content-location', itemLink(infoHash))
    }
    return await reply.code(response.status).send()
  }

  await app.register(async (scope: FastifyInstance) => {
    const raw = scope.withTypeProvider<ZodTypeProvider>()
    raw.removeAllContentTypeParsers()
    raw.addContentTypeParser('*', (_request, body, done) => done(null, body))
    const config = { scope: 'media:write' } as const
    const tags = ['uploads']
    const refusals = problems(400, 403, 404, 408, 409, 410, 412, 413, 422, 503, 507)
    const nothing = (description: string) => ({ description, content: {} })

    raw.post(
      path,
      {
        config: { ...config, print: ({ headers }) => described.map((name) => headers[name] ?? null) },
        schema: {
          tags,
          summary: 'Begin an upload that can be resumed (tus 1.0)',
          description:
            'Upload-Metadata has the options of an item by their names; `filename` is understood too, `filetype` is a guess.',
          response: { 201: nothing('Begun; `Location` is its address.'), ...refusals },
        },
      },
      handle,
    )
    raw.head(
      `${path}/:id`,
      {
        config,
        schema: {
          tags,
          summary: 'How much of an upload is there (tus 1.0)',
          params,
          response: { 200: nothing('`Upload-Offset` says it.'), ...refusals },
        },
      },
      handle,
    )
    raw.patch(
      `${path}/:id`,
      {
        config,
        schema: {
          tags,
          summary: 'Append to an upload (tus 1.0)',
          consumes: ['application/offset+octet-stream'],
          params,
          response: {
            204: nothing('Taken; after the last byte `Content-Location` is the address of the item.'),
            ...refusals,
          },
        },
      },
      handle,
    )
    raw.delete(
      `${path}/:id`,
      {
        config,
        schema: {
          tags,
          summary: 'End an upload and drop its bytes (tus 1.0)',
          params,
          response: { 204: nothing('Ended. An item that it became stays.'), ...refusals },
        },
      },
      handle,
    )
    for (const url of [path, `${path}/:id`])
      raw.options(
        url,
        {
          // Clients ask without a browser's headers what the server can do; browsers ask too, before a request.
          config: { cors: { strictPreflight: false, preflightContinue: true } },
          schema: {
            tags,
            summary: 'What of tus 1.0 is spoken here',
            response: { 204: nothing('See `Tus-Extension`.') },
          },
        },
        handle,
      )
    raw.get(
      `${path}/:id`,
      {
        exposeHeadRoute: false,
        config,
        schema: {
          tags,
          summary: 'An upload, and what became of it',
          params,
          response: { 200: uploadSchema, ...refusals },
        },
      },
      async (request) => {
        const { id, state, received, size, changedAt, infoHash, error } = own(request)
        const self = `${services.endpoints().http}${path}/${id}`
        const item = infoHash !== undefined && { infoHash, links: { self, item: itemLink(infoHash) } }
        const rest = { ...(size !== undefined && { size }), ...(error && { error }), links: { self }, ...item }
        return { id, state, received, expiresAt: changedAt + uploads.expireAfter, ...rest }
      },
    )
  })
}

/** Only what the tus server reads: the address says nothing to it. */
function webRequestOf(exchange: Exchange, limits: Services['limits']): Request {
  const { method, raw, url } = exchange.request
  const headers = new Headers()
  for (const [name, value] of Object.entries(raw.headers)) if (typeof value === 'string') headers.set(name, value)
  const at = new URL(url, 'http://seeder')
  if (method !== 'PATCH' && method !== 'POST') return new Request(at, { method, headers })
  const body = ReadableStream.from(bodyOf(exchange, limits))
  return new Request(at, { method, headers, body, duplex: 'half' })
}

async function* bodyOf(exchange: Exchange, limits: Services['limits']): AsyncGenerator<Uint8Array> {
  try {
    yield* new Intake(limits).read(exchange.request.raw)
  } catch (error) {
    if (error instanceof Error) exchange.failure = error
    throw error
  }
}
