import cors from '@fastify/cors'
import type { Api } from './api.ts'

/** What pages may send. Cache-Control is what WebTorrent's web seeds send; the last ones are those of tus. */
const allowedHeaders = [
  'Authorization',
  'Cache-Control',
  'Content-Digest',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-Modified-Since',
  'If-None-Match',
  'If-Range',
  'If-Unmodified-Since',
  'Last-Event-ID',
  'Range',
  'Repr-Digest',
  'Tus-Resumable',
  'Upload-Checksum',
  'Upload-Defer-Length',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Offset',
  'X-HTTP-Method-Override',
  'X-Requested-With',
]

/** What pages may read of an answer. */
const exposedHeaders = [
  'Accept-Ranges',
  'Cache-Status',
  'Content-Disposition',
  'Content-Length',
  'Content-Location',
  'Content-Range',
  'ETag',
  'Idempotency-Replayed',
  'Location',
  'Retry-After',
  'Tus-Extension',
  'Tus-Max-Size',
  'Tus-Resumable',
  'Tus-Version',
  'Upload-Expires',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Offset',
]

/**
 * Lets pages of these origins use the whole API. Nothing here depends on cookies, so that any page may ask: what needs a
 * token only the pages of its owner have one for.
 * @param origins `*` is every page; with none, browsers keep other pages out
 */
export async function allowOrigins(app: Api, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders,
    exposedHeaders,
    maxAge: 86_400,
  })
}
