import type { About, ItemFile } from '@eldernode/core'
import type { Item } from './item-port.ts'

/** One row of the table `items`. */
export interface ItemRow {
  info_hash: string
  name: string
  size: number
  piece_length: number
  sha256: string
  publisher: string
  replicas_min: number
  replicas_target: number
  created_at: number
  state: Item['state']
  purge_after: number | null
  held: number
  owner: string
  access: Item['access']
  expires_at: number | null
  /** JSON of `About`, written by this library alone. */
  about: string
}

export function itemOf(row: ItemRow, files: readonly ItemFile[]): Item {
  return {
    infoHash: row.info_hash,
    name: row.name,
    size: row.size,
    pieceLength: row.piece_length,
    files: files.map(({ path, size, sha256, type }) => ({ path, size, sha256, type })),
    sha256: row.sha256,
    publisher: row.publisher,
    replicas: { min: row.replicas_min, target: row.replicas_target },
    createdAt: row.created_at,
    state: row.state,
    ...(row.purge_after === null ? {} : { purgeAfter: row.purge_after }),
    owner: row.owner,
    access: row.access,
    about: row.about === '{}' ? {} : (JSON.parse(row.about) as About),
  }
}
