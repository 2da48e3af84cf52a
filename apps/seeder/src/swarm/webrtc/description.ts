import type { PeerConnection } from 'node-datachannel'

/**
 * Milliseconds. Addresses of this machine are known at once; a STUN server that does not answer must not hold the
 * description back, for the other side waits for it.
 */
const gatheringTimeout = 150

/**
 * Runs what sets the local description off, and resolves with it once every candidate is in it, or those found in time.
 * @throws Error when the library refuses, or `signal` says that nobody wants it any more
 */
export function described(connection: PeerConnection, signal: AbortSignal, begin: () => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      const description = signal.aborted ? null : connection.localDescription()
      if (description === null) reject(new Error('no local description was made'))
      else resolve(description.sdp)
    }
    const timer = setTimeout(settle, gatheringTimeout)
    signal.addEventListener('abort', settle, { once: true })
    connection.onGatheringStateChange((state) => {
      if (state === 'complete') settle()
    })
    try {
      begin()
    } catch (error) {
      clearTimeout(timer)
      reject(error instanceof Error ? error : new Error(String(error)))
    }
  })
}
