import type { ImportRecord } from '../library/index.ts'
import type { Item } from '../library/index.ts'
import type { Upload } from '../publishing/index.ts'

/** Where an import's bytes come from. `source` is a URL, a magnet link, or a .torrent file in base64. */
export type Kind = 'url' | 'yt-dlp' | 'magnet' | 'torrent'

/** What is said of the item, by whoever may say so. */
export type Wanted = Omit<Upload, 'signal' | 'expectedSize' | 'disposable' | 'hashed'> & {
  /** The largest item that is wanted, in bytes: a larger one is refused as soon as its size is known. */
  maxBytes?: number
}

/** One import under way. */
export interface Work {
  source: string
  wanted: Wanted
  signal: AbortSignal
  /** Bytes so far, and of how many where that is known. */
  progress(received: number, total?: number): void
}

/** Fetches and publishes. When it resolves the item is durable, seeded and announced; whatever fails leaves nothing. */
export type Importer = (work: Work) => Promise<Item>

/** An import as its owner sees it. */
export interface ImportView extends Omit<ImportRecord, 'options' | 'attempts' | 'token'> {
  /** Of how many bytes, where that is known and the import is running. */
  total?: number
  /** When it is tried again, in milliseconds since 1970; then `error` says why. */
  retryAt?: number
}
