import { type FileHandle, open } from 'node:fs/promises'
import { EldernodeError } from '@eldernode/core'
import { veil } from './veil.ts'

/** After how many bytes a crash may not take them any more. */
const syncEvery = 32 * 1024 * 1024
const readBytes = 1024 * 1024

/** There are fewer bytes than were once safely there. */
export class LostBytesError extends EldernodeError {
  constructor(path: string, options?: ErrorOptions) {
    super('upload_bytes_lost', `Bytes of the upload at ${path} are gone: send it again.`, options)
  }
}

export interface Appending {
  path: string
  /** Bytes that are safely there; what lies behind them is dropped. */
  offset: number
  secret: Uint8Array | undefined
  /** Told, one after the other, how many bytes are safely there. */
  safe(offset: number): Promise<void>
}

/**
 * Appends what `source` yields, and makes it durable, also when the source fails: then its error is thrown.
 * @returns how many bytes are there
 */
export async function append(source: AsyncIterable<Uint8Array>, { path, offset, secret, safe }: Appending) {
  const handle = await openWith(path, 'r+', offset)
  let end = offset
  let synced = offset
  const sync = async () => {
    if (end === synced) return
    await handle.datasync()
    synced = end
    await safe(end)
  }
  try {
    await handle.truncate(offset)
    const hide = secret === undefined ? (bytes: Uint8Array) => bytes : veil(secret, offset)
    try {
      for await (const chunk of source) {
        await writeAll(handle, hide(chunk), end)
        end += chunk.length
        if (end - synced >= syncEvery) await sync()
      }
    } finally {
      await sync()
    }
  } finally {
    await handle.close()
  }
  return end
}

async function openWith(path: string, flags: string, size: number): Promise<FileHandle> {
  const handle = await open(path, flags).catch((error: unknown) => {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw isMissing ? new LostBytesError(path, { cause: error }) : error
  })
  if ((await handle.stat()).size >= size) return handle
  await handle.close()
  throw new LostBytesError(path)
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let from = 0; from < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, from, bytes.length - from, position + from)
    from += bytesWritten
  }
}

/** The bytes of a whole upload, as they were sent; each chunk is the reader's to keep. */
export async function* read(path: string, size: number, secret: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  const handle = await openWith(path, 'r', size)
  try {
    const show = secret === undefined ? (bytes: Uint8Array) => bytes : veil(secret, 0)
    for (let position = 0; ;) {
      const buffer = Buffer.allocUnsafeSlow(readBytes)
      const { bytesRead } = await handle.read(buffer, 0, readBytes, position)
      if (bytesRead === 0) return
      position += bytesRead
      yield show(bytesRead === readBytes ? buffer : buffer.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}
