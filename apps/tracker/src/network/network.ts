import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { openIdentity } from '@eldernode/member/keys'
import type { Logger } from 'pino'
import type { InfoHashSet } from '../access/index.ts'
import { infoHashWords } from './info-hash.ts'
import { listFile, readLists } from './list-file.ts'
import { keyFile } from './port.ts'
import type { Changes, FollowerSettings, FromFollower, Standing, ToFollower } from './port.ts'

export type NetworkSettings = FollowerSettings

/** Kept as the network says. */
export interface NetworkLists {
  /** What it serves. */
  allowed: InfoHashSet
  /** What its owner denied. */
  denied: InfoHashSet
  /** Whether they tell all there is. */
  isReady: boolean
}

export interface NetworkOptions {
  settings: NetworkSettings
  lists: NetworkLists
  /** Empty sets, to be filled anew. */
  fresh(): InfoHashSet
  log: Logger
  /** Told of each change of the lists, for other processes. */
  changed?(changes: Changes): void
}

const program = new URL(
  import.meta.url.endsWith('.ts') ? './follower-worker.ts' : './follower-worker.js',
  import.meta.url,
)

const stopMs = 4000
const firstDelayMs = 1000
const longestDelayMs = 60_000

const none = new Int32Array()
const unknown: Standing = { links: 0, inStep: 0, member: false, ready: false, live: 0, denied: 0 }

/**
 * What the network lists, for this process. A thread follows the network, where signatures, the disk and a crash are
 * nothing to those who announce; here its lists are kept, and while it is away the last of them stand.
 */
export class Network {
  /** This tracker's id, which the network's owner admits with the role `tracker`. */
  readonly id: string
  readonly #options: NetworkOptions
  #thread: Worker | undefined
  #standing = unknown
  #delay = firstDelayMs
  #restart: NodeJS.Timeout | undefined
  #stopping: (() => void) | undefined
  #wasAdmitted: boolean | undefined
  readonly #saving = new Map<number, () => void>()
  #counter = 0

  /** @throws BrokenSecretError, ExposedSecretError */
  constructor(options: NetworkOptions) {
    const { settings, lists } = options
    this.#options = options
    lists.isReady = false
    mkdirSync(settings.folder, { recursive: true, mode: 0o750 })
    this.id = openIdentity(join(settings.folder, keyFile)).id
  }

  get standing(): Standing {
    return this.#standing
  }

  /** Takes the last list from its file, and begins to follow. */
  start(): void {
    const { log, settings } = this.#options
    log.info({ node: this.id, owner: settings.owner }, 'this tracker as a member of the network')
    if (settings.open) log.warn('network.open is set: whoever likes may list torrents here')
    this.#run()
  }

  /** Resolves once the list's file says what `changed` was told before. */
  save(): Promise<void> {
    const n = ++this.#counter
    return new Promise((resolve) => {
      if (this.#thread === undefined) return resolve()
      this.#saving.set(n, resolve)
      this.#post({ kind: 'save', n })
    })
  }

  async stop(): Promise<void> {
    clearTimeout(this.#restart)
    const thread = this.#thread
    if (thread === undefined) return
    let patience: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#stopping = resolve
      patience = setTimeout(resolve, stopMs)
      this.#post({ kind: 'stop' })
    })
    clearTimeout(patience)
    await thread.terminate()
  }

  #run(): void {
    const { settings, log } = this.#options
    this.#standing = { ...unknown, live: this.#standing.live, denied: this.#standing.denied }
    this.#load()
    const thread = new Worker(program, { workerData: settings })
    this.#thread = thread
    thread.on('message', (message: FromFollower) => this.#hear(message))
    thread.on('error', (error) => log.error({ err: error }, 'following the network failed; the last list stands'))
    thread.once('exit', () => this.#ended())
  }

  /** The thread begins with what its file says, and tells what changes from there: so does this side. */
  #load(): void {
    const { settings, lists, fresh, log } = this.#options
    const path = join(settings.folder, listFile)
    const read = readLists(path)
    if (read === 'damaged') log.warn({ path }, 'the list of torrents is damaged and is not used')
    const { live, denied } = read === undefined || read === 'damaged' ? { live: none, denied: none } : read
    lists.allowed.replaceWith(filled(fresh(), live))
    lists.denied.replaceWith(filled(fresh(), denied))
    if (live.length + denied.length === 0) return
    log.info({ live: lists.allowed.size, denied: lists.denied.size }, 'torrents from before the restart')
  }

  #hear(message: FromFollower): void {
    const { log } = this.#options
    switch (message.kind) {
      case 'changes':
        return this.#change(message.changes)
      case 'standing':
        return this.#stand(message.standing)
      case 'saved':
        this.#saving.get(message.n)?.()
        return void this.#saving.delete(message.n)
      case 'fault':
        return log.error({ error: message.error }, message.what)
      case 'stopped':
        return this.#stopping?.()
    }
  }

  #change(changes: Changes): void {
    const { lists, changed } = this.#options
    each(changes.added, (infoHash) => lists.allowed.add(infoHash))
    each(changes.removed, (infoHash) => lists.allowed.remove(infoHash))
    each(changes.denied, (infoHash) => lists.denied.add(infoHash))
    each(changes.lifted, (infoHash) => lists.denied.remove(infoHash))
    changed?.(changes)
  }

  #stand(standing: Standing): void {
    const { log, lists } = this.#options
    const before = this.#standing
    this.#standing = standing
    lists.isReady = standing.ready
    this.#delay = firstDelayMs
    if (standing.member !== this.#wasAdmitted) {
      if (standing.member) log.info({ node: this.id }, 'admitted to the network')
      else
        log.warn({ node: this.id }, 'not admitted to the network, with the role tracker: only what is public is listed')
    }
    this.#wasAdmitted = standing.member
    if (standing.ready && !before.ready) log.info({ live: standing.live, denied: standing.denied }, 'in step')
    if (standing.links === 0 && before.links > 0) log.warn('no link to the network; the last list stands')
    if (standing.links > 0 && before.links === 0) log.info({ links: standing.links }, 'linked to the network')
  }

  #ended(): void {
    this.#thread = undefined
    for (const resolve of this.#saving.values()) resolve()
    this.#saving.clear()
    if (this.#stopping !== undefined) return this.#stopping()
    this.#standing = { ...this.#standing, links: 0, inStep: 0, ready: false }
    this.#options.lists.isReady = false
    this.#restart = setTimeout(() => this.#run(), this.#delay)
    this.#delay = Math.min(this.#delay * 2, longestDelayMs)
  }

  #post(message: ToFollower): void {
    this.#thread?.postMessage(message)
  }
}

const each = (words: Int32Array, act: (infoHash: Int32Array) => unknown): void => {
  for (let at = 0; at < words.length; at += infoHashWords) act(words.subarray(at, at + infoHashWords))
}

const filled = (set: InfoHashSet, words: Int32Array): InfoHashSet => {
  each(words, (infoHash) => set.add(infoHash))
  return set
}
