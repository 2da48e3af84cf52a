import { EldernodeError } from '@eldernode/core'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { openIdentity } from '@eldernode/member/keys'
import type { Logger } from 'pino'
import { NetworkFolderError } from './errors.ts'
import { keyFile, nowhere } from './port.ts'
import type { FollowerSettings, FromFollower, News, Standing, ToFollower } from './port.ts'

export interface NetworkOptions {
  settings: FollowerSettings
  /** Told what every process that keeps the lists must know, in this order. */
  tell(news: News): void
  log: Logger
}

const program = new URL(
  import.meta.url.endsWith('.ts') ? './follower-worker.ts' : './follower-worker.js',
  import.meta.url,
)

const stopMs = 4000
const firstDelayMs = 1000
const longestDelayMs = 60_000

/**
 * This tracker in the network. A thread follows it, where signatures, the disk and a crash are nothing to those who
 * announce; while it is away its last list stands.
 */
export class Network {
  /** This tracker's id, which the network's owner admits with the role `tracker`. */
  readonly id: string
  readonly #options: NetworkOptions
  #thread: Worker | undefined
  #standing = nowhere
  #delay = firstDelayMs
  #restart: NodeJS.Timeout | undefined
  #stopping: (() => void) | undefined
  #wasAdmitted: boolean | undefined
  readonly #saving = new Map<number, () => void>()
  #counter = 0
  /** Since the file was read or written. */
  #hasChanged = false

  /** @throws NetworkFolderError, BrokenSecretError, ExposedSecretError */
  constructor(options: NetworkOptions) {
    this.#options = options
    this.id = idIn(options.settings.folder)
  }

  get standing(): Standing {
    return this.#standing
  }

  /** Begins to follow; the last list is told before it returns. */
  start(): void {
    const { log, settings } = this.#options
    log.info({ node: this.id, owner: settings.owner }, 'this tracker as a member of the network')
    if (settings.open) log.warn('network.open is set: whoever likes may list torrents here')
    this.#run()
  }

  /** Resolves once the file says all that was told: who reads it then and hears what follows misses nothing. */
  save(): Promise<void> {
    // While much is read at the start nobody waits for it.
    if (!this.#hasChanged) return Promise.resolve()
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
    const { settings, log, tell } = this.#options
    // The thread begins with what the file says, and tells what changes from there: so must they who listen.
    tell({ kind: 'anew' })
    this.#hasChanged = false
    const thread = new Worker(program, { workerData: settings })
    this.#thread = thread
    thread.on('message', (message: FromFollower) => this.#hear(message))
    thread.on('error', (error) => log.error({ err: error }, 'following the network failed; the last list stands'))
    thread.once('exit', () => this.#ended())
  }

  #hear(message: FromFollower): void {
    const { log, tell } = this.#options
    switch (message.kind) {
      case 'changes':
        this.#hasChanged = true
        return tell(message)
      case 'standing':
        return this.#stand(message.standing)
      case 'saved':
        this.#hasChanged = false
        this.#saving.get(message.n)?.()
        return void this.#saving.delete(message.n)
      case 'fault':
        return log.error({ error: message.error }, message.what)
      case 'stopped':
        return this.#stopping?.()
    }
  }

  #stand(standing: Standing): void {
    const { log, tell } = this.#options
    const before = this.#standing
    this.#standing = standing
    this.#delay = firstDelayMs
    tell({ kind: 'standing', standing })
    const { live, denied, links } = standing
    if (standing.member !== this.#wasAdmitted) {
      if (standing.member) log.info({ node: this.id }, 'admitted to the network')
      else log.warn({ node: this.id }, 'not admitted to the network: only what is public is listed')
    }
    this.#wasAdmitted = standing.member
    if (standing.ready && !before.ready) log.info({ live, denied }, 'in step with the network')
    if (links === 0 && before.links > 0) log.warn('no link to the network; the last list stands')
    if (links > 0 && before.links === 0) log.info({ links }, 'linked to the network')
  }

  #ended(): void {
    const { tell } = this.#options
    this.#thread = undefined
    for (const resolve of this.#saving.values()) resolve()
    this.#saving.clear()
    if (this.#stopping !== undefined) return this.#stopping()
    this.#standing = { ...this.#standing, links: 0, inStep: 0, ready: false }
    tell({ kind: 'standing', standing: this.#standing })
    this.#restart = setTimeout(() => this.#run(), this.#delay)
    this.#delay = Math.min(this.#delay * 2, longestDelayMs)
  }

  #post(message: ToFollower): void {
    this.#thread?.postMessage(message)
  }
}

const idIn = (folder: string): string => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 })
    return openIdentity(join(folder, keyFile)).id
  } catch (error) {
    if (error instanceof EldernodeError) throw error
    throw new NetworkFolderError(folder, { cause: error })
  }
}
