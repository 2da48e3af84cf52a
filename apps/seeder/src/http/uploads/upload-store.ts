import { AsyncLocalStorage } from 'node:async_hooks'
import type { Readable } from 'node:stream'
import { DataStore, Upload } from '@tus/server'
import type { UploadRecord } from '../../library/index.ts'
import type { Begun, ResumableUploads } from '../../uploads/index.ts'

/** What the request that creates an upload wants of it; found out before it is created. */
export type Wish = Begun['wanted']

/** The uploads of this node as the tus server knows them. */
export class UploadStore extends DataStore {
  readonly wishes = new AsyncLocalStorage<{ wish?: Wish; token?: string; id?: string }>()
  readonly #uploads: ResumableUploads

  constructor(uploads: ResumableUploads) {
    super()
    this.#uploads = uploads
    this.extensions = ['creation', 'creation-with-upload', 'creation-defer-length', 'termination', 'expiration']
  }

  override async create(upload: Upload): Promise<Upload> {
    const context = this.wishes.getStore()
    if (context?.wish === undefined) throw new Error('an upload is created without a request for it')
    const { size, metadata = {} } = upload
    const { wish: wanted, token } = context
    const given = { ...(size !== undefined && { size }), ...(token !== undefined && { token }) }
    const record = await this.#uploads.begin({ ...given, metadata, wanted })
    upload.id = record.id
    context.id = record.id
    upload.creation_date = new Date(record.changedAt).toISOString()
    return upload
  }

  override async getUpload(id: string): Promise<Upload> {
    return this.#shown(this.#uploads.get(id))
  }

  override async write(stream: Readable, id: string): Promise<number> {
    return await this.#uploads.append(id, stream)
  }

  override async declareUploadLength(id: string, length: number): Promise<void> {
    await this.#uploads.declareSize(id, length)
  }

  override async remove(id: string): Promise<void> {
    await this.#uploads.remove(id)
  }

  override getExpiration(): number {
    return this.#uploads.expireAfter
  }

  /** Its time begins anew with each byte. */
  #shown({ id, size, received, metadata, changedAt }: UploadRecord): Upload {
    const created = new Date(changedAt).toISOString()
    return new Upload({ id, ...(size !== undefined && { size }), offset: received, metadata, creation_date: created })
  }
}
