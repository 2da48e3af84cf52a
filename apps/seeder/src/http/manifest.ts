import { createHash } from 'node:crypto'
import type { ItemFile, Manifest } from '@eldernode/core'
import type { Item } from '../library/index.ts'

/** What is left of an 8 KB envelope once its signature, names and numbers are in. */
const bodyBytes = 8192 - 400
const mostFiles = 200

/** The list of an item's files as canonical JSON (RFC 8785): these four members in this order, integers and strings. */
export function canonicalFiles(files: readonly ItemFile[]): string {
  return JSON.stringify(files.map(({ path, sha256, size, type }) => ({ path, sha256, size, type })))
}

/** The public manifest of an item published here. Files that do not fit are vouched for by `filesDigest`. */
export function manifestOf(item: Item, trackers: readonly string[]): Manifest {
  const { infoHash, name, size, pieceLength, replicas, createdAt, state, purgeAfter } = item
  const manifest: Manifest = {
    infoHash,
    name,
    size,
    pieceLength,
    files: [],
    trackers: [...trackers],
    replicas,
    access: 'public',
    createdAt,
    state,
    ...(purgeAfter !== undefined && { purgeAfter }),
  }
  const files = fitting(item.files, bodyBytes - bytesOf(manifest))
  if (files.length === item.files.length) return { ...manifest, files }
  const filesDigest = createHash('sha256').update(canonicalFiles(item.files)).digest('hex')
  return { ...manifest, files: fitting(item.files, bodyBytes - bytesOf({ ...manifest, filesDigest })), filesDigest }
}

function fitting(files: readonly ItemFile[], room: number): ItemFile[] {
  let left = room
  const end = files.slice(0, mostFiles).findIndex((file) => (left -= bytesOf(file) + 1) < 0)
  return files.slice(0, end === -1 ? mostFiles : end)
}

function bytesOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value))
}
