import type { Item } from '../../library/index.ts'
import { openViewOf, type MediaView } from '../media/media-view.ts'

/** What the older APIs say of an item's file. */
export interface Original {
  name: string
  /** Bytes of all files together; of an encrypted item of many files, the stored ones. */
  size: number
  /** The first file's media type. */
  type: string
}

/**
 * An item's view, and what it is to the viewer: to who may decrypt it what was encrypted, to all others what is stored.
 */
export async function originalOf(
  item: Item,
  shown: Parameters<typeof openViewOf>[1],
): Promise<{ view: MediaView; original: Original }> {
  const view = await openViewOf(item, shown)
  const { name, files } = view.plain ?? view
  // Of many files only the first ones are described.
  const size = files.length === view.fileCount ? files.reduce((sum, file) => sum + file.size, 0) : view.size
  return { view, original: { name, size, type: files[0]?.type ?? 'application/octet-stream' } }
}
