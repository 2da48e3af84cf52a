import { link, stat, unlink } from 'node:fs/promises'
import { contentSha256 } from '@eldernode/core'
import type { Staging } from '../library/index.ts'
import { describe } from './metainfo.ts'
import { ItemPaths, layOut } from './names.ts'
import type { IncomingFile, Ingested } from './port.ts'
import type { RunningHash } from './running-hash.ts'

export type Lying = NonNullable<IncomingFile['lies']>

/** Gives a file a second name. @returns whether that is possible there, and it is as long as it is said to be */
export async function linked({ at, size }: Lying, place: string): Promise<boolean> {
  try {
    await link(at, place)
  } catch {
    return false
  }
  if ((await stat(place)).size === size) return true
  await unlink(place)
  return false
}

export interface HashedParts {
  hashed: RunningHash
  name: string | undefined
  maxBytes: number
  stage(): Promise<Staging>
}

/**
 * Takes an item of one file that lies on the disk and was hashed as it came: nothing is read.
 * @returns it; or, when it is another or cannot stay where it lies, the files as if none had been taken
 */
export async function takeHashed(
  files: AsyncIterable<IncomingFile>,
  { hashed, name: wanted, maxBytes, stage }: HashedParts,
): Promise<Ingested | AsyncIterable<IncomingFile>> {
  const iterator = files[Symbol.asyncIterator]()
  const { value: first } = (await iterator.next()) as IteratorResult<IncomingFile, undefined>
  const size = first?.lies?.size ?? 0
  const isWhole = size > 0 && size <= maxBytes && hashed.size === size && hashed.position === size
  if (first?.lies === undefined || !isWhole) return again(first, iterator)
  new ItemPaths().add(first.path)
  const staging = await stage()
  try {
    if (!(await linked(first.lies, staging.filePath(0)))) {
      await staging.discard()
      return again(first, iterator)
    }
    staging.shared = true
    const { pieces, pieceLength, sha256, type } = await hashed.finish(first.path)
    await iterator.return?.()
    const { name, paths } = layOut([first], wanted)
    const described = [{ path: paths[0] ?? name, size, sha256, type }]
    const item = { name, size, pieceLength, files: described }
    return { staging, ...item, sha256: contentSha256(described), ...describe({ ...item, pieces }) }
  } catch (error) {
    await staging.discard()
    throw error
  }
}

async function* again(
  first: IncomingFile | undefined,
  rest: AsyncIterator<IncomingFile>,
): AsyncGenerator<IncomingFile> {
  if (first === undefined) return
  yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}
