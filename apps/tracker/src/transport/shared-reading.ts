import type { Duplex } from 'node:stream'
import { streamOf, takeHandle } from '../connection-handle.ts'

/** As much as the system is asked for at once. */
const landing = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * The same connection, all reads of which go to one piece of memory that every such connection uses. Otherwise each read
 * has one made for it, and V8, which counts them all, marks its whole heap for them several times a second.
 *
 * @param stream is not to be used any more; what it has read already comes out of the new one as data
 * @param onBytes is told what came, good until it returns
 * @returns the same stream where it is no connection of the system
 */
export const readShared = (stream: Duplex, onBytes: (bytes: Buffer) => void): Duplex => {
  const taken = takeHandle(stream, Buffer.alloc(0))
  if (taken === undefined) return stream
  const shared = streamOf(taken.handle, {
    buffer: landing,
    callback: (length) => {
      onBytes(landing.subarray(0, length))
      return true
    },
  })
  if (taken.head.length > 0) shared.unshift(taken.head)
  return shared
}
