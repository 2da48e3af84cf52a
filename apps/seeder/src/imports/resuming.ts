import { setTimeout as delay } from 'node:timers/promises'
import { passes } from './retries.ts'

export interface Resuming {
  /** What is left from that byte on. */
  rest(from: number): Promise<AsyncIterable<Uint8Array>>
  /** Milliseconds before the first try; each next one waits twice as long. */
  firstMs?: number
  signal: AbortSignal
}

const mostTries = 6
/** A source that breaks off after fewer bytes than that has not become better. */
const progressBytes = 2 ** 20

/**
 * Passes on what a source sends; when that breaks off, with the rest of it.
 *
 * Threat: one that breaks off after each byte would be asked for ever.
 * @throws what the source throws at last, or at once when it does not pass; the abort reason when aborted
 */
export async function* resuming(
  source: AsyncIterable<Uint8Array>,
  { rest, firstMs = 1000, signal }: Resuming,
): AsyncGenerator<Uint8Array> {
  let bytes: AsyncIterable<Uint8Array> | undefined = source
  let [received, before, tries] = [0, 0, 0]
  for (;;) {
    try {
      bytes ??= await rest(received)
      for await (const chunk of bytes) {
        received += chunk.length
        yield chunk
      }
      return
    } catch (error) {
      signal.throwIfAborted()
      if (received - before >= progressBytes) tries = 0
      if (!passes(error) || ++tries > mostTries) throw error
      before = received
      bytes = undefined
      await wait(firstMs * 2 ** (tries - 1), signal)
    }
  }
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch {
    signal.throwIfAborted()
  }
}
