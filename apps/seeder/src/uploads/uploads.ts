import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskUnwritableError, EldernodeError } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Quotas } from '../access/index.ts'
import type { IncomingFile, RunningHash } from '../ingest/index.ts'
import type { Library, UploadRecord, Usage } from '../library/index.ts'
import { counted, known } from '../publishing/index.ts'
import { TooManyUploadsError, UploadFailedError, UploadNotFoundError } from './errors.ts'
import type { Begun, PublishUpload, ResumableUploads, Wanted } from './port.ts'
import { Hashes } from './hashes.ts'
import { passes } from './passing.ts'
import { append, LostBytesError, read } from './upload-file.ts'

export interface UploadsOptions {
  library: Pick<Library, 'uploads' | 'storage'>
  publish: PublishUpload
  quotas: Pick<Quotas, 'admit'>
  /** Hashes a file of so many bytes as they come. */
  follow(size: number): RunningHash
  /** Milliseconds without a byte after which an upload is forgotten. */
  expireAfter: number
  /** Uploads under way at a time, of all owners; one owner may have a quarter of them. The operator has as many apart. */
  most: number
  /** How often expired ones are collected, and whole ones that could not be published are tried again. */
  roundMs?: number
  now: () => number
  log: Logger
}

const expiredAtOnce = 1000
const unforeseen = { code: 'internal', message: 'The node failed at publishing the upload; its log says why.' }

export class Uploads implements ResumableUploads {
  readonly #options: UploadsOptions
  readonly #hashes: Hashes
  readonly #finishing = new Map<string, Promise<string>>()
  /** Those being published, or appended to without a size: what of them is admitted there counts there. */
  readonly #admitted = new Map<string, { owner: string; items: number; bytes: (received: number) => number }>()
  readonly #ending = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  /** Owners of those that are being written down. */
  readonly #beginning: string[] = []

  constructor(options: UploadsOptions) {
    this.#options = options
    this.#hashes = new Hashes(options.follow)
  }

  get expireAfter(): number {
    return this.#options.expireAfter
  }

  /** Publishes what was whole when the node ended; what belongs to no upload is removed. */
  async start(): Promise<void> {
    const { library, roundMs = 60_000 } = this.#options
    // Threat: what lies on the disk of another library is not known to this one, and none of its business.
    if (library.storage().state === 'here') await this.#onDisk(() => this.#clear())
    this.#timer = setInterval(() => this.#look(), roundMs)
    this.#timer.unref()
    this.#look()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#ending.abort()
    await this.#round
    await Promise.allSettled(this.#finishing.values())
    this.#hashes.close()
  }

  async begin({ size, metadata, token, wanted }: Begun): Promise<UploadRecord> {
    const { library, now } = this.#options
    this.#assertRoom(wanted.owner)
    const allowance = this.#options.quotas.admit(wanted.owner, size, known(wanted))
    this.#beginning.push(wanted.owner)
    try {
      const id = randomBytes(16).toString('hex')
      await this.#create(id)
      const [at, secret] = [now(), wanted.encrypt && { secret: randomBytes(32) }]
      const begun = { id, owner: wanted.owner, ...(token !== undefined && { token }) }
      const upload = { ...begun, ...(size !== undefined && { size }), metadata, ...secret }
      await library.uploads.add({ ...upload, wanted: JSON.stringify(wanted) }, at)
      return this.get(id)
    } finally {
      this.#beginning.splice(this.#beginning.indexOf(wanted.owner), 1)
      allowance.end()
    }
  }

  get(id: string): UploadRecord {
    const found = this.#options.library.uploads.get(id)
    if (found === undefined) throw new UploadNotFoundError(id)
    return found
  }

  async append(id: string, source: AsyncIterable<Uint8Array>): Promise<number> {
    const { library, quotas, now } = this.#options
    const { owner, size, received, secret, state } = this.get(id)
    // What is whole may be an item's already, by another name.
    if (state !== 'receiving' || received === size) return received
    const path = this.#path(id)
    const safe = (offset: number) => library.uploads.advance(id, offset, now())
    // One that did not say how long it will be has nothing set aside.
    const allowance = size === undefined ? quotas.admit(owner, received, { counted: received }) : undefined
    if (allowance !== undefined) this.#admitted.set(id, { owner, items: 0, bytes: (there) => there - received })
    allowance?.take(received)
    const plain = secret === undefined ? this.#hashes.during(id, size, received, source) : source
    const bytes = allowance === undefined ? plain : counted(plain, allowance)
    try {
      return await this.#onDisk(() => append(bytes, { path, offset: received, secret, safe }))
    } catch (error) {
      throw await this.#lossOf(id, error)
    } finally {
      allowance?.end()
      if (allowance !== undefined) this.#admitted.delete(id)
    }
  }

  async declareSize(id: string, size: number): Promise<void> {
    const { library, quotas, now } = this.#options
    const { owner, received, wanted } = this.get(id)
    const allowance = quotas.admit(owner, size, { counted: received, ...known(JSON.parse(wanted) as Wanted) })
    try {
      await library.uploads.declareSize(id, size, now())
    } finally {
      allowance.end()
    }
  }

  waiting(owner?: string): Usage {
    const { uploads } = this.#options.library
    let [bytes, items] = [uploads.reservedBytes(owner), uploads.count(owner)]
    for (const [id, admitted] of this.#admitted) {
      if (owner !== undefined && admitted.owner !== owner) continue
      const upload = uploads.get(id)
      if (upload?.state !== 'receiving') continue
      bytes -= admitted.bytes(upload.received)
      items -= admitted.items
    }
    return { bytes, items }
  }

  finish(id: string): Promise<string> {
    let finishing = this.#finishing.get(id)
    if (finishing === undefined) {
      finishing = this.#finish(id).finally(() => this.#finishing.delete(id))
      this.#finishing.set(id, finishing)
    }
    return finishing
  }

  async remove(id: string): Promise<void> {
    const path = this.#path(id)
    await this.#finishing.get(id)?.catch(() => undefined)
    this.#hashes.drop(id)
    await this.#options.library.uploads.remove(id)
    await this.#onDisk(() => rm(path, { force: true }))
  }

  async revoke(token: string): Promise<void> {
    const { uploads } = this.#options.library
    // Others may end them meanwhile.
    for (const id of uploads.begunWith(token)) if (uploads.get(id) !== undefined) await this.remove(id)
  }

  /** Threat: uploads without a byte cost their owner nothing, and would keep every place from everybody else. */
  #assertRoom(owner: string): void {
    const { library, most } = this.#options
    const beginning = this.#beginning.filter((other) => other === owner).length
    const own = library.uploads.count(owner) + beginning
    if (owner === '') {
      if (own >= most) throw new TooManyUploadsError(most, 'the operator')
      return
    }
    const share = Math.ceil(most / 4)
    if (own >= share) throw new TooManyUploadsError(share, 'one owner')
    const owned = library.uploads.count() - library.uploads.count('')
    const coming = this.#beginning.filter((other) => other !== '').length
    if (owned + coming >= most) throw new TooManyUploadsError(most, 'all owners')
  }

  async #finish(id: string): Promise<string> {
    const { library, publish, now } = this.#options
    const { state, infoHash, error, wanted, secret, received } = this.get(id)
    if (state === 'published') return infoHash ?? ''
    if (state === 'failed') throw new UploadFailedError(error?.code ?? '', error?.detail ?? '')
    const upload = JSON.parse(wanted) as Wanted & { name: string }
    const path = this.#path(id)
    async function* files(): AsyncGenerator<IncomingFile> {
      const lies = secret === undefined && { lies: { at: path, size: received } }
      yield { path: upload.name, bytes: read(path, received, secret), ...lies }
    }
    const hashed = this.#hashes.take(id, received)
    const options = { ...upload, disposable: true, expectedSize: received, ...(hashed && { hashed }) }
    this.#admitted.set(id, { owner: upload.owner, items: 1, bytes: () => received })
    try {
      const { item } = await publish(files(), { ...options, signal: this.#ending.signal })
      await library.uploads.end(id, { infoHash: item.infoHash }, now())
      await rm(path, { force: true })
      return item.infoHash
    } catch (failure) {
      if (passes(failure) || this.#ending.signal.aborted) throw await this.#lossOf(id, failure)
      if (!(failure instanceof EldernodeError))
        this.#options.log.error({ err: failure, upload: id }, 'publishing failed')
      const { code, message: detail } = failure instanceof EldernodeError ? failure : unforeseen
      await library.uploads.end(id, { error: { code, detail } }, now())
      await rm(path, { force: true })
      throw new UploadFailedError(code, detail, { cause: failure })
    } finally {
      hashed?.drop()
      this.#admitted.delete(id)
    }
  }

  #look(): void {
    this.#round ??= this.#collect()
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'uploads could not be looked through'))
      .finally(() => (this.#round = undefined))
  }

  async #collect(): Promise<void> {
    const { library, expireAfter, now, log } = this.#options
    if (library.storage().state !== 'here') return
    for (const id of library.uploads.complete()) {
      if (this.#ending.signal.aborted) return
      await this.finish(id).catch((error: unknown) => {
        if (!this.#ending.signal.aborted) log.warn({ err: error, upload: id }, 'a whole upload is not published yet')
      })
    }
    for (const id of library.uploads.stale(now() - expireAfter, expiredAtOnce)) await this.remove(id)
  }

  get #folder(): string {
    return join(this.#options.library.storage().folder, 'uploads')
  }

  #path(id: string): string {
    return join(this.#folder, this.get(id).id)
  }

  /** An upload whose bytes are not what the catalog knows of them is over: its client begins anew. */
  async #lossOf(id: string, error: unknown): Promise<unknown> {
    if (!(error instanceof LostBytesError) || this.#options.library.storage().state !== 'here') return error
    this.#options.log.warn({ upload: id }, 'bytes of an upload are gone')
    await this.#options.library.uploads.remove(id)
    return new UploadNotFoundError(id)
  }

  /** Removes the bytes of no upload. */
  async #clear(): Promise<void> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    })
    for (const name of names)
      if (this.#options.library.uploads.get(name)?.state !== 'receiving')
        await rm(join(this.#folder, name), { force: true })
  }

  /** The name is durable before anybody is told of it. */
  async #create(id: string): Promise<void> {
    const folder = this.#folder
    await this.#onDisk(async () => {
      await mkdir(folder, { recursive: true, mode: 0o750 })
      await (await open(join(folder, id), 'wx', 0o640)).close()
      const handle = await open(folder, 'r')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    })
  }

  async #onDisk<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw DiskUnwritableError.of(error, this.#options.library.storage().folder)
    }
  }
}
