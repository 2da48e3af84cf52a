import { join } from 'node:path'
import type { Logger } from 'pino'
import type { InfoHashSet } from '../access/index.ts'
import { infoHashWords } from './info-hash.ts'
import { listFile, readLists } from './list-file.ts'
import { nowhere } from './port.ts'
import type { Changes, News, Standing } from './port.ts'

/** Kept as the network says. */
export interface NetworkLists {
  /** What it serves. */
  allowed: InfoHashSet
  /** What its owner denied. */
  denied: InfoHashSet
  /** Whether they tell all there is. */
  isReady: boolean
}

export interface KeptListsOptions {
  /** The tracker's folder, where the follower keeps its last list. */
  folder: string
  lists: NetworkLists
  /** Empty sets, to be filled anew. */
  fresh(): InfoHashSet
  log: Logger
}

const none = new Int32Array()

/** The network's lists in a process that asks them at each announce: from a file, and then by what changes. */
export class KeptLists {
  readonly #options: KeptListsOptions
  #standing = nowhere

  constructor(options: KeptListsOptions) {
    this.#options = options
  }

  /** As it was told last, with the numbers of this process. */
  get standing(): Standing {
    const { allowed, denied } = this.#options.lists
    return { ...this.#standing, live: allowed.size, denied: denied.size }
  }

  hear(news: News): void {
    const { lists } = this.#options
    if (news.kind === 'anew') this.#load()
    else if (news.kind === 'changes') this.#change(news.changes)
    else {
      this.#standing = news.standing
      lists.isReady = news.standing.ready
    }
  }

  #load(): void {
    const { folder, lists, fresh, log } = this.#options
    lists.isReady = false
    const path = join(folder, listFile)
    const read = readLists(path)
    if (read === 'damaged') log.warn({ path }, 'the list of torrents is damaged, or cannot be read, and is not used')
    const { live, denied } = read === undefined || read === 'damaged' ? { live: none, denied: none } : read
    lists.allowed.replaceWith(filled(fresh(), live))
    lists.denied.replaceWith(filled(fresh(), denied))
    if (live.length + denied.length === 0) return
    log.info({ live: lists.allowed.size, denied: lists.denied.size }, 'the list of torrents as it was kept')
  }

  #change({ added, removed, denied, lifted }: Changes): void {
    const { lists } = this.#options
    each(added, (infoHash) => lists.allowed.add(infoHash))
    each(removed, (infoHash) => lists.allowed.remove(infoHash))
    each(denied, (infoHash) => lists.denied.add(infoHash))
    each(lifted, (infoHash) => lists.denied.remove(infoHash))
  }
}

const each = (words: Int32Array, act: (infoHash: Int32Array) => unknown): void => {
  for (let at = 0; at < words.length; at += infoHashWords) act(words.subarray(at, at + infoHashWords))
}

const filled = (set: InfoHashSet, words: Int32Array): InfoHashSet => {
  each(words, (infoHash) => set.add(infoHash))
  return set
}
