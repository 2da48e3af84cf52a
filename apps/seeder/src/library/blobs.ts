import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInputError, sha256Schema } from '@eldernode/core'

/** What tells a blob from a changed one without reading it. The time is in microseconds since 1970. */
export interface Print {
  size: number
  mtimeUs: number
}

export interface Blobs {
  path(sha256: string): string
  /** `undefined` when there is no such file. */
  print(sha256: string): Print | undefined
  /** Renames a file on the same file system over the blob. Durable after `sync`. */
  adopt(from: string, sha256: string): void
  /** Makes the folders of these blobs durable. */
  sync(hashes: Iterable<string>): Promise<void>
  /** Takes the blob out of its place at once; its room is free once `trash` is removed. */
  moveTo(sha256: string, path: string): void
  /** Names in one of the 256 folders, `00` to `ff`. */
  names(prefix: string): string[]
  /** Removes something in a blob folder that is no blob of ours. */
  sweep(prefix: string, name: string): void
}

/** The 256 folder names. */
export const prefixes = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

/** @returns size and modification time of a regular file, `undefined` when there is none */
export function printOf(path: string): Print | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (!stats?.isFile()) return undefined
  return { size: Number(stats.size), mtimeUs: Number(stats.mtimeNs / 1000n) }
}

/** Makes the names in a folder, or a file's bytes, durable. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Opens the blobs in `folder`. All folders are made and synced here, so that adopting one touches its folder only. */
export async function openBlobs(folder: string): Promise<Blobs> {
  for (const prefix of prefixes) mkdirSync(join(folder, prefix), { recursive: true, mode: 0o750 })
  await syncPath(folder)
  const path = (sha256: string) => {
    if (!sha256Schema.safeParse(sha256).success)
      throw new InvalidInputError('A blob is named by its SHA-256: 64 lower-case hex digits.')
    return join(folder, sha256.slice(0, 2), sha256)
  }
  return {
    path,
    print: (sha256) => printOf(path(sha256)),
    adopt: (from, sha256) => renameSync(from, path(sha256)),
    sync: async (hashes) => {
      const touched = new Set([...hashes].map((sha256) => sha256.slice(0, 2)))
      await Promise.all([...touched].map((prefix) => syncPath(join(folder, prefix))))
    },
    moveTo: (sha256, to) => renameSync(path(sha256), to),
    names: (prefix) => readdirSync(join(folder, prefix)),
    sweep: (prefix, name) => rmSync(join(folder, prefix, name), { recursive: true, force: true }),
  }
}
