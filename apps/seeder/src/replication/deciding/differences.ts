import { bucketOf, type Graph, type NodeId } from '@eldernode/core'
import { Ascending } from './ascending.ts'
import type { Library } from '../../library/index.ts'
import type { Serving } from './serving.ts'
import type { Job } from '../fetching/job.ts'

export interface DifferencesOptions {
  self: NodeId
  graph: Pick<Graph, 'manifests'>
  library: Pick<Library, 'heads' | 'patchy' | 'storage'>
  serving: Pick<Serving, 'offers' | 'offered'>
}

/** An item to decide on, by whose manifest; or one that is offered and may be gone. */
export type Difference = Job | { lost: string }

/**
 * Compares what the graph says, what the library holds and what is offered, and finds what does not fit. Items that are
 * in order cost next to nothing, for neither their manifests nor their rows are read: those of a large library all are.
 * A step for each item, with nothing most of the time, so that the caller may pause between any two. What is found may
 * have changed meanwhile: it is a reason to look, no more.
 * @param thorough reads the manifests of what is offered too, for a retraction that came before a stop. Later ones are
 * told by the graph as they come
 * @param learn is told of each publisher
 */
export function* differences(
  { self, graph, library, serving }: DifferencesOptions,
  thorough: boolean,
  learn: (publisher: NodeId) => void,
): Generator<Difference | undefined> {
  // Nothing on a disk that is away can be offered.
  const isHere = library.storage().state === 'here'
  const held = new Ascending(isHere ? infoHashes(library.heads()) : [])
  for (const infoHash of serving.offered()) yield held.has(infoHash) ? undefined : { lost: infoHash }
  const published = new Ascending(infoHashes(graph.manifests({ pub: self })))
  for (const { infoHash, publisher, state } of library.heads()) {
    learn(publisher)
    const known = published.has(infoHash) || publisher !== self
    yield isHere && state === 'live' && !(known && serving.offers(infoHash)) ? { infoHash, publisher } : undefined
  }
  if (isHere) for (const infoHash of library.patchy()) yield { infoHash, publisher: self }
  if (!thorough) return
  const retracted: Job[] = []
  let place = ''
  for (const { pub, infoHash } of graph.manifests()) {
    learn(pub)
    const bucket = bucketOf(infoHash)
    if (place !== pub + bucket) {
      place = pub + bucket
      for (const found of graph.manifests({ pub, bucket, retracted: true })) {
        retracted.push({ publisher: pub, infoHash: found.infoHash })
      }
    }
    yield undefined
  }
  yield* retracted
}

function* infoHashes(items: Iterable<{ infoHash: string }>): Iterable<string> {
  for (const { infoHash } of items) yield infoHash
}
