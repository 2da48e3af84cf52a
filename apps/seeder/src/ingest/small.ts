import { createHash } from 'node:crypto'
import { contentSha256, pieceLengthOf } from '@eldernode/core'
import type { Staging } from '../library/index.ts'
import { abortable } from './abortable.ts'
import { EmptyFileError, EmptyItemError, ItemTooLargeError } from './errors.ts'
import { mediaTypeOf, sniffedBytes } from './media-type.ts'
import { describe } from './metainfo.ts'
import { ItemPaths, layOut } from './names.ts'
import { PieceHasher } from './piece-hasher.ts'
import type { IncomingFile, Ingested } from './port.ts'

/** Up to here an item is hashed where it is and kept in memory until it is committed: threads and files cost more. */
export const smallBytes = 64 * 1024

export interface SmallFile {
  path: string
  bytes: Uint8Array
}

/**
 * Reads an item that is said to be small.
 * @returns its files; or, when it is not small after all, the files as if none had been read
 */
export async function gather(
  files: AsyncIterable<IncomingFile>,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal | undefined },
): Promise<SmallFile[] | AsyncIterable<IncomingFile>> {
  const paths = new ItemPaths()
  const taken: SmallFile[] = []
  const others = abortable(files, signal)
  let size = 0
  let handedOn = false
  try {
    for (let next = await others.next(); next.done !== true; next = await others.next()) {
      const { path } = next.value
      paths.add(path)
      const rest = abortable(next.value.bytes, signal)
      const chunks: Uint8Array[] = []
      for (let chunk = await rest.next(); chunk.done !== true; chunk = await rest.next()) {
        chunks.push(chunk.value)
        size += chunk.value.length
        if (size > maxBytes) throw new ItemTooLargeError(maxBytes)
        if (size <= smallBytes) continue
        handedOn = true
        return again(taken, { path, chunks }, rest, others)
      }
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
      if (bytes.length === 0) throw new EmptyFileError(path)
      taken.push({ path, bytes })
    }
  } finally {
    if (!handedOn) await others.return(undefined)
  }
  if (taken.length === 0) throw new EmptyItemError()
  return taken
}

async function* again(
  taken: SmallFile[],
  current: { path: string; chunks: Uint8Array[] },
  rest: AsyncIterable<Uint8Array>,
  others: AsyncIterable<IncomingFile>,
): AsyncGenerator<IncomingFile> {
  for (const { path, bytes } of taken) yield { path, bytes: chain([bytes]) }
  yield { path: current.path, bytes: chain(current.chunks, rest) }
  yield* others
}

async function* chain(chunks: Uint8Array[], rest?: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks
  if (rest !== undefined) yield* rest
}

/** What an item of these files is; `hold` keeps their bytes until it is committed. */
export async function describeSmall(
  taken: SmallFile[],
  wantedName: string | undefined,
  hold: (bytes: Uint8Array[]) => Staging,
): Promise<Ingested> {
  const size = taken.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const pieceLength = pieceLengthOf(size)
  const hasher = new PieceHasher(pieceLength)
  const { name, paths } = layOut(taken, wantedName)
  const files = await Promise.all(
    taken.map(async ({ path, bytes }, n) => {
      hasher.update(bytes)
      const type = await mediaTypeOf(bytes.subarray(0, sniffedBytes), path)
      return {
        path: paths[n] ?? path,
        size: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        type,
      }
    }),
  )
  const described = describe({ name, size, pieceLength, pieces: hasher.finish(), files })
  const staging = hold(taken.map(({ bytes }) => bytes))
  return { staging, name, size, pieceLength, files, sha256: contentSha256(files), ...described }
}
