import { type OnReadOpts, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** The system's side of a connection, as `node:net` keeps it: the one thing that can be handed from process to process unread. */
export interface Handle {
  /** What `node:net` believes. */
  reading?: boolean
  readStop(): number
  close(): void
}

const isHandle = (value: unknown): value is Handle =>
  typeof value === 'object' && value !== null && 'readStop' in value && 'close' in value

/**
 * Takes a connection out of this process. What was read of it is appended to `head`.
 *
 * @returns undefined when it is gone, or was never one of the system
 */
export const takeHandle = (stream: Duplex, head: Buffer): { handle: Handle; head: Buffer } | undefined => {
  if (!(stream instanceof Socket) || stream.destroyed || !('_handle' in stream) || !isHandle(stream._handle))
    return undefined
  const handle = stream._handle
  // Two processes would read otherwise until this one has closed its side.
  handle.readStop()
  handle.reading = false
  const read = stream.read() as Buffer | null
  stream._handle = null
  stream.destroy()
  return { handle, head: read === null ? head : Buffer.concat([head, read]) }
}

/** The connection on a handle that nothing else reads. @param onread where its bytes go, if they are not to be its data */
export const streamOf = (handle: Handle, onread?: OnReadOpts): Socket => {
  const options: object = { handle, readable: true, writable: true, onread }
  return new Socket(options)
}

/** The same for the types of `send`, which know of whole sockets only. */
export const asSendable = (handle: Handle): Socket => handle as unknown as Socket

/** What came along with a message, if it is one. */
export const handleOf = (value: unknown): Handle | undefined => (isHandle(value) ? value : undefined)
