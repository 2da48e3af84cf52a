import { grantKeyOf, type Grant, type Graph, type Manifest, type NodeId } from '@eldernode/core'
import type { Logger } from 'pino'
import { Slices } from '../slices.ts'
import type { Publications } from './publications.ts'

export interface SuccessionOptions {
  self: NodeId
  graph: Pick<Graph, 'get' | 'grants' | 'manifests' | 'publish' | 'speakerOf'>
  publications: Pick<Publications, 'denial' | 'of' | 'publishers' | 'stands'>
  /** Has an item decided on anew: another speaks for it now. */
  changed(infoHash: string): void
  log: Logger
}

/** Values published at once, so that they share their transactions. */
const atOnce = 64

/**
 * What follows when the network's owner names who speaks for a lost key: every item of it is decided on anew, for the
 * successor's own word stands now; and on the successor's node the items are published anew as its own, with their
 * grants, so that they no longer hang on the lost key. Level-triggered: `run` may be called at any time and as often as
 * one likes, what is done already costs one look at each item.
 */
export class Succession {
  readonly #options: SuccessionOptions
  /** For whom another was known to speak when the items were last gone through. */
  readonly #speakers = new Map<NodeId, NodeId>()
  #opened = false
  #wanted = false
  #work: Promise<void> | undefined
  #closed = false

  constructor(options: SuccessionOptions) {
    this.#options = options
  }

  /** Publishes from now on: the links have told what this node published before. */
  open(): void {
    this.#opened = true
    this.run()
  }

  /** To be called when a certificate came, and when a member published that is known to be lost. */
  run(): void {
    this.#wanted = true
    this.#wake()
  }

  /** A manifest came: that of a lost key may come later than the word that it is lost. */
  published(signer: NodeId, infoHash: string): void {
    const { self, graph, changed } = this.#options
    if (graph.speakerOf(signer) === signer) return
    changed(infoHash)
    if (signer !== self && graph.speakerOf(signer) === self) this.run()
  }

  /** Resolves once nothing is left to do. */
  async idle(): Promise<void> {
    while (this.#work) await this.#work
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#work
  }

  #wake(): void {
    if (this.#closed) return
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
      if (this.#wanted) this.#wake()
    })
  }

  async #run(): Promise<void> {
    this.#wanted = false
    const { self, graph, publications, log } = this.#options
    for (const signer of publications.publishers()) {
      const speaker = graph.speakerOf(signer)
      try {
        if (speaker !== (this.#speakers.get(signer) ?? signer)) await this.#tell(signer)
        this.#speakers.set(signer, speaker)
        if (this.#opened && speaker === self && signer !== self) await this.#adopt(signer)
      } catch (error) {
        if (!this.#closed)
          log.warn({ err: error, lost: signer }, 'items of a lost key could not be published anew; tried again later')
      }
    }
  }

  async #tell(signer: NodeId): Promise<void> {
    const slices = new Slices()
    for (const { infoHash } of this.#options.graph.manifests({ pub: signer })) {
      if (this.#closed) return
      this.#options.changed(infoHash)
      if (slices.over) await slices.next()
    }
  }

  async #adopt(signer: NodeId): Promise<void> {
    const slices = new Slices()
    const batch: Promise<unknown>[] = []
    let count = 0
    for (const { infoHash } of this.#options.graph.manifests({ pub: signer })) {
      if (this.#closed) break
      const adopted = this.#adoptItem(signer, infoHash)
      if (adopted !== undefined) batch.push(adopted)
      count += Number(adopted !== undefined)
      if (batch.length >= atOnce) await Promise.all(batch.splice(0))
      if (slices.over) await slices.next()
    }
    await Promise.all(batch)
    if (count > 0) this.#options.log.info({ lost: signer, items: count }, 'published the items of a lost key anew')
  }

  #adoptItem(signer: NodeId, infoHash: string): Promise<void> | undefined {
    const { self, publications } = this.#options
    // An own manifest stands instead, also when it is retracted.
    const spoken = publications.of(infoHash).find(({ publisher }) => publisher === self)
    if (spoken === undefined || !publications.stands(spoken.manifest)) return undefined
    if (publications.denial(infoHash) !== undefined) return undefined
    const isNew = spoken.signer !== self
    const grants = this.#missingGrants(signer, spoken.manifest)
    return isNew || grants.length > 0 ? this.#publish(isNew, spoken.manifest, grants) : undefined
  }

  /** The manifest comes first: it says who may see the grants. */
  async #publish(isNew: boolean, manifest: Manifest, grants: readonly Grant[]): Promise<void> {
    const { graph } = this.#options
    if (isNew) await graph.publish('m', manifest.infoHash, manifest)
    for (const grant of grants) await graph.publish('g', grantKeyOf(grant), grant)
    if (isNew) this.#options.changed(manifest.infoHash)
  }

  /** Grants that the lost key gave and did not take back, and this node has not spoken of itself. */
  #missingGrants(signer: NodeId, { infoHash, encryption }: Manifest): Grant[] {
    const { self, graph } = this.#options
    if (encryption === undefined) return []
    const keys = new Set([...graph.grants(signer, infoHash)].map(({ body }) => grantKeyOf(body)))
    return [...keys].flatMap((key) => {
      const given = graph.get('g', signer, key)?.body
      return given?.wrapped === undefined || graph.get('g', self, key) !== undefined ? [] : given
    })
  }
}
