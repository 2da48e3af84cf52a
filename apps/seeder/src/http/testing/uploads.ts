import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { MediaView } from '../media/media-view.ts'
import type { Problem } from '../problem.ts'
import type { TestNode } from './test-node.ts'

/** Uploads to a node in both ways, with its admin token. */
export class Uploads {
  readonly #node: TestNode

  constructor(node: TestNode) {
    this.#node = node
  }

  async put(
    name: string,
    body: NonNullable<RequestInit['body']>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return await this.#node.ask(`/v1/media?name=${encodeURIComponent(name)}`, { method: 'PUT', body, headers })
  }

  async post(form: FormData): Promise<Response> {
    return await this.#node.ask('/v1/media', { method: 'POST', body: form })
  }

  /** How many items the node lists. */
  async count(): Promise<number> {
    const list = (await (await this.#node.ask('/v1/media?limit=1000')).json()) as { items: unknown[] }
    return list.items.length
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const view = async (response: Response): Promise<MediaView> => (await response.json()) as MediaView

/** Status and code of an answer that must be problem+json. */
export const problem = async (response: Response | Promise<Response>): Promise<[number, string]> => {
  const answer = await response
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  const body = (await answer.json()) as Problem
  expect(body.status).toBe(answer.status)
  return [answer.status, body.code]
}

/** A title that stays short and shows what cannot be printed. */
export function titled(name: string): [title: string, length: number, name: string] {
  return [JSON.stringify(name.slice(0, 12)), name.length, name]
}

export function formOf(
  files: [name: string, bytes: Uint8Array<ArrayBuffer> | string][],
  fields: Record<string, string> = {},
): FormData {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  for (const [name, bytes] of files) body.append('file', new Blob([bytes]), name)
  return body
}
