import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInputError, sha256Schema } from '@eldernode/core'

/**
 * What tells a blob from a changed one without reading it. Times are in microseconds since 1970. `ctimeUs` cannot be set
 * back by who changes a file; it and `inode` (its lower 53 bits) are absent where a former version did not note them.
 */
export interface Print {
  size: number
  mtimeUs: number
  ctimeUs?: number
  inode?: number
}

export interface Blobs {
  path(sha256: string): string
  /** `undefined` when there is no such file. */
  print(sha256: string): Print | undefined
  /** `print` without blocking the loop. */
  look(sha256: string): Promise<Print | undefined>
  /** Makes the folders, synced, so that adopting a blob touches its folder only. */
  prepare(): Promise<void>
  /** Renames a file on the same file system over the blob. Durable after `sync`. */
  adopt(from: string, sha256: string): void
  /** Writes a small blob over what is there. Nothing of it is durable yet. */
  write(sha256: string, bytes: Uint8Array): void
  /** Whether the blob's file is these bytes. */
  has(sha256: string, bytes: Uint8Array): boolean
  /** Makes the folders of these blobs durable. */
  sync(hashes: Iterable<string>): Promise<void>
  /** Takes the blob out of its place at once; its room is free once `trash` is removed. */
  moveTo(sha256: string, path: string): void
  /** Names in one of the 256 folders, `00` to `ff`. */
  names(prefix: string): Promise<string[]>
  /** Removes something in a blob folder that is no blob's name. */
  sweep(prefix: string, name: string): Promise<void>
}

/** The 256 folder names. */
export const prefixes = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

/** @returns the print of a regular file, `undefined` when there is none */
export function printOf(path: string): Print | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats?.isFile() ? printFrom(stats) : undefined
}

export function printFrom({ size, mtimeNs, ctimeNs, ino }: BigIntStats): Print {
  return {
    size: Number(size),
    mtimeUs: Number(mtimeNs / 1000n),
    ctimeUs: Number(ctimeNs / 1000n),
    inode: Number(BigInt.asUintN(53, ino)),
  }
}

/** Whether a file is what was noted of it, as far as it was noted. */
export function isSame(noted: Print, found: Print | undefined): boolean {
  return (
    noted.size === found?.size &&
    noted.mtimeUs === found.mtimeUs &&
    (noted.ctimeUs ?? found.ctimeUs) === found.ctimeUs &&
    (noted.inode ?? found.inode) === found.inode
  )
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

/** The blobs in `folder`, which need not be there before `prepare`. */
export function blobsIn(folder: string): Blobs {
  const path = (sha256: string) => {
    if (!sha256Schema.safeParse(sha256).success)
      throw new InvalidInputError('A blob is named by its SHA-256: 64 lower-case hex digits.')
    return join(folder, sha256.slice(0, 2), sha256)
  }
  return {
    path,
    print: (sha256) => printOf(path(sha256)),
    look: async (sha256) => {
      try {
        const stats = await stat(path(sha256), { bigint: true })
        return stats.isFile() ? printFrom(stats) : undefined
      } catch (error) {
        if (isAbsence(error)) return undefined
        throw error
      }
    },
    prepare: async () => {
      for (const prefix of prefixes) mkdirSync(join(folder, prefix), { recursive: true, mode: 0o750 })
      await syncPath(folder)
    },
    adopt: (from, sha256) => renameSync(from, path(sha256)),
    write: (sha256, bytes) => {
      try {
        writeWhole(path(sha256), bytes)
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error
        const fresh = `${path(sha256)}.new`
        rmSync(fresh, { force: true })
        writeWhole(fresh, bytes)
        renameSync(fresh, path(sha256))
      }
    },
    has: (sha256, bytes) => {
      if (printOf(path(sha256))?.size !== bytes.length) return false
      return readFileSync(path(sha256)).equals(bytes)
    },
    sync: async (hashes) => {
      const touched = new Set([...hashes].map((sha256) => sha256.slice(0, 2)))
      await Promise.all([...touched].map((prefix) => syncPath(join(folder, prefix))))
    },
    moveTo: (sha256, to) => renameSync(path(sha256), to),
    names: (prefix) => readdir(join(folder, prefix)),
    sweep: (prefix, name) => rm(join(folder, prefix, name), { recursive: true, force: true }),
  }
}

/** Makes a file, or none. */
function writeWhole(path: string, bytes: Uint8Array): void {
  const handle = openSync(path, 'wx', 0o640)
  try {
    for (let from = 0; from < bytes.length;) from += writeSync(handle, bytes, from)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(handle)
  }
}

function isAbsence(error: unknown): boolean {
  return isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
