import { request, type Dispatcher } from 'undici'

/** How a receiver took a message: `gone` says that it wants no more (410). */
export interface Outcome {
  result: 'taken' | 'refused' | 'gone'
  /** For people. */
  words: string
}

const patienceMs = 15_000

/**
 * Sends one message. Redirects are not followed: whoever moves tells the new address. What the receiver answers is thrown
 * away unread.
 */
export async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal: AbortSignal },
): Promise<Outcome> {
  const late = AbortSignal.timeout(patienceMs)
  try {
    const { statusCode, body: answer } = await request(url, {
      method: 'POST',
      dispatcher,
      headers: { 'content-type': 'application/json', 'user-agent': 'eldernode', ...headers },
      body,
      signal: AbortSignal.any([signal, late]),
    })
    answer.on('error', () => undefined).destroy()
    const words = `answered ${statusCode}`
    if (statusCode === 410) return { result: 'gone', words }
    return { result: statusCode >= 200 && statusCode < 300 ? 'taken' : 'refused', words }
  } catch (error) {
    signal.throwIfAborted()
    return { result: 'refused', words: late.aborted ? `no answer within ${patienceMs / 1000} s` : reasonOf(error) }
  }
}

/** Of a refused address the reason lies below. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return (inner instanceof Error ? inner.message : String(inner)).slice(0, 200)
}
