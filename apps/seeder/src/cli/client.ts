import { z } from 'zod'
import { RefusedError, UnreachableError } from './errors.ts'

const problemSchema = z.object({ detail: z.string() })

/** The HTTP API of one node. */
export class Client {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url.replace(/\/+$/, '')
    this.#token = token
  }

  /** @throws UnreachableError, RefusedError, also when the answer is not what the schema says */
  async ask<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.#send(method, path, body)
    const text = await answer.text()
    const value = parse(text)
    if (!answer.ok) {
      const problem = problemSchema.safeParse(value)
      throw new RefusedError(answer.status, problem.success ? problem.data.detail : text.slice(0, 200))
    }
    const parsed = schema.safeParse(value)
    if (!parsed.success) throw new RefusedError(answer.status, 'what it sent is no answer of an eldernode')
    return parsed.data
  }

  async #send(method: string, path: string, body: unknown): Promise<Response> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    }
    try {
      return await fetch(`${this.#url}${path}`, {
        method,
        headers,
        // A token must not follow to where a stranger points.
        redirect: 'error',
        signal: AbortSignal.timeout(30_000),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    } catch (error) {
      throw new UnreachableError(this.#url, { cause: error })
    }
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
