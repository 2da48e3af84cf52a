import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Media, Seeder } from './seeder.ts'

/** Where a node keeps the only file of an item. */
export const blobOf = (seeder: Seeder, { sha256 }: Media): string =>
  join(seeder.folder, 'blobs', sha256.slice(0, 2), sha256)

/** Flips a bit. */
export async function flip(seeder: Seeder, media: Media, at: number): Promise<void> {
  const file = await open(blobOf(seeder, media), 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, at)
  byte.writeUInt8(byte.readUInt8() ^ 1)
  await file.write(byte, 0, 1, at)
  await file.close()
}

/** Flips a bit of a stopped node as a failing disk does: nothing but the bytes tells of it. */
export async function rot(seeder: Seeder, media: Media, at: number): Promise<void> {
  await flip(seeder, media, at)
  const { mtimeNs, ctimeNs } = await stat(blobOf(seeder, media), { bigint: true })
  const catalog = new DatabaseSync(join(seeder.folder, 'catalog.db'))
  catalog
    .prepare('UPDATE blobs SET mtime_us = ?, ctime_us = ? WHERE sha256 = ?')
    .run(mtimeNs / 1000n, ctimeNs / 1000n, media.sha256)
  catalog.close()
}
