import type { ItemFile } from '@eldernode/core'
import { create as contentDisposition } from 'content-disposition'
import type { Validators } from './conditions.ts'

/** Media types that a browser shows without running anything in them. */
const passive = /^(?:(?:audio|video|font)\/.*|image\/(?!svg).*|text\/plain|application\/(?:octet-stream|pdf|zip|gzip))$/

/** For pages and SVG: no scripts, no frames, no forms, nothing fetched; styles and pictures that they bring along. */
const inert = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:; sandbox"

/** What every answer about a file's bytes says, with or without them. */
export function contentHeaders({ path, type }: ItemFile, { etag, modified }: Validators, download: boolean) {
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
    // What somebody published must not run as a page of this origin, nor call others by the addresses it names.
    ...(!passive.test(type) && { 'content-security-policy': inert }),
  }
}
