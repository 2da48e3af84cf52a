import type { Graph, Manifest, NodeId } from '@eldernode/core'
import type { Library } from '../library/index.ts'
import type { Journal } from './journal.ts'

export interface PublicationsOptions {
  self: NodeId
  graph: Pick<Graph, 'watch'>
  library: Pick<Library, 'head' | 'record'>
  journal: Journal
  /** Told of an item that is to be counted from now on. */
  published(infoHash: string): void
  now: () => number
}

/**
 * Tells of what this node publishes and retracts, as its own manifests say: whichever way that came about. Previews come
 * and go with their item and are not told of.
 * @returns ends it
 */
export function watchPublications(options: PublicationsOptions): () => void {
  return options.graph.watch('m', ({ pub, body }) => {
    if (pub === options.self && !isPreview(body, options)) tell(body, options)
  })
}

/** The manifest of an encrypted preview does not say that it is one. */
function isPreview({ infoHash, encryption, previewOf }: Manifest, { library }: PublicationsOptions): boolean {
  if (encryption === undefined) return previewOf !== undefined
  return library.record(infoHash)?.about.previewOf !== undefined
}

function tell({ infoHash, state, access, replicas, replaces }: Manifest, options: PublicationsOptions): void {
  const { library, journal, published, now } = options
  const known = journal.copies(infoHash)
  const owner = library.head(infoHash)?.owner ?? known?.owner ?? ''
  if (state === 'live') {
    const record = { infoHash, state: known?.state ?? ('new' as const), ...replicas, owner, access }
    journal.noteCopies(infoHash, record)
    // A manifest that only says more of an item is no publication.
    if (known === undefined) {
      const data = replaces === undefined ? {} : { replaces }
      journal.emit({ type: 'published', infoHash, owner, access, at: now(), data })
    }
    published(infoHash)
  } else {
    if (known !== undefined) journal.noteCopies(infoHash, undefined)
    journal.emit({ type: 'retracted', infoHash, owner, access, at: now() })
  }
}
