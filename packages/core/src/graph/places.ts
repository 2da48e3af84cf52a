import type { NodeId } from '../identity/index.ts'
import { readValue } from './archive.ts'
import type { Bodies, Entry, Kind } from './port.ts'
import { layouts, locate } from './souls.ts'

export interface Where {
  soul: string
  key: string
}

export interface PlacesOptions {
  network: string
  present(soul: string, key: string): Entry | undefined
  /** Everybody of whom values are stored. */
  publishers(): readonly NodeId[]
}

/** Where a node's values go and are found: what is not public where only members see it. */
export class Places {
  readonly #options: PlacesOptions

  constructor(options: PlacesOptions) {
    this.#options = options
  }

  /** The place of a new value; `undefined` for a key that fits no soul. */
  forNew<K extends Kind>(kind: K, pub: NodeId, key: string, body: Bodies[K]): Where | undefined {
    return locate(this.#options.network, kind, pub, bareKey(kind, key), this.#hides(kind, pub, key, body))
  }

  /** Of what lies under a key in public and not, the newer; holdings of either are values of their own. */
  newest(kind: Kind, pub: NodeId, key: string): Entry | undefined {
    const bare = bareKey(kind, key)
    if (kind === 'h') return this.#at(kind, pub, bare, key !== bare)
    const shown = this.#at(kind, pub, bare, false)
    const hidden = layouts[kind].hides ? this.#at(kind, pub, bare, true) : undefined
    return hidden !== undefined && (shown === undefined || hidden.ts > shown.ts) ? hidden : shown
  }

  #hides(kind: Kind, pub: NodeId, key: string, body: Bodies[Kind]): boolean {
    switch (kind) {
      case 'm':
        return (body as Bodies['m']).access !== 'public'
      case 'h':
        return key !== bareKey(kind, key)
      case 'g': {
        const manifest = this.newest('m', pub, (body as Bodies['g']).infoHash)
        return manifest === undefined || readValue('m', manifest)?.body.access !== 'public'
      }
      case 'd':
        return !this.#isPublished(key)
      case 'a':
      case 'hb':
      case 'o':
      case 'p':
        return false
    }
  }

  /** Whether anybody published an item in public: a denial of another must not tell that there is one. */
  #isPublished(infoHash: string): boolean {
    return this.#options.publishers().some((pub) => this.#at('m', pub, infoHash, false) !== undefined)
  }

  #at(kind: Kind, pub: NodeId, key: string, hidden: boolean): Entry | undefined {
    const where = locate(this.#options.network, kind, pub, key, hidden)
    return where && this.#options.present(where.soul, where.key)
  }
}

/** Of holdings the bucket, also where `x/` says that they are of what is not public. */
function bareKey(kind: Kind, key: string): string {
  return kind === 'h' && key.startsWith('x/') ? key.slice(2) : key
}
