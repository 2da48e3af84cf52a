import { expect } from 'vitest'
import type { Scope } from '../../access/index.ts'
import type { MediaView } from '../media/media-view.ts'
import type { TestNode } from './test-node.ts'

/** Makes a token with the node's admin token. */
export async function makeToken(
  node: TestNode,
  owner: string,
  scopes: Scope[],
  rest: Record<string, unknown> = {},
): Promise<{ id: string; token: string }> {
  const answer = await node.ask('/v1/tokens', json('POST', { owner, scopes, ...rest }))
  expect(answer.status).toBe(201)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  return (await answer.json()) as { id: string; token: string }
}

export const json = (method: string, body: unknown): RequestInit => ({
  method,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})

/** `fetch` below the node's URL with that token, or with none when it is empty. */
export const askAs =
  (node: TestNode, token: string) =>
  async (path: string, init: RequestInit = {}): Promise<Response> =>
    await fetch(`${node.url}${path}`, {
      ...init,
      headers: {
        ...(init.headers as Record<string, string>),
        ...(token !== '' && { authorization: `Bearer ${token}` }),
      },
      ...(init.body instanceof ReadableStream && { duplex: 'half' }),
    })

/** Publishes the name as the only file's bytes; it must be new. */
export async function publishAs(node: TestNode, token: string, name: string, query = ''): Promise<MediaView> {
  const path = `/v1/media?name=${encodeURIComponent(name)}${query}`
  const answer = await askAs(node, token)(path, { method: 'PUT', body: name })
  const item = (await answer.json()) as MediaView
  expect([answer.status, item]).toEqual([201, expect.anything()])
  return item
}
