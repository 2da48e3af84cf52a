import type { PeerConnection } from 'node-datachannel'

export interface Described {
  sdp: string
  /** Whether every candidate is in it: no server was left unheard. */
  complete: boolean
}

/**
 * Runs what sets the local description off, and resolves with it once every candidate is in it, or with those that were
 * found within `patience` milliseconds: the other side waits for it.
 * @throws Error when the library refuses, or `signal` says that nobody wants it any more
 */
export function described(
  connection: PeerConnection,
  { patience, signal }: { patience: number; signal: AbortSignal },
  begin: () => void,
): Promise<Described> {
  return new Promise((resolve, reject) => {
    const settle = (complete: boolean): void => {
      clearTimeout(timer)
      const description = signal.aborted ? null : connection.localDescription()
      if (description === null) reject(new Error('no local description was made'))
      else resolve({ sdp: description.sdp, complete })
    }
    const timer = setTimeout(() => settle(false), patience)
    signal.addEventListener('abort', () => settle(false), { once: true })
    connection.onGatheringStateChange((state) => {
      if (state === 'complete') settle(true)
    })
    try {
      begin()
    } catch (error) {
      clearTimeout(timer)
      reject(error instanceof Error ? error : new Error(String(error)))
    }
  })
}
