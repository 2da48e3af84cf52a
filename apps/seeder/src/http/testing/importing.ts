import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished, vi } from 'vitest'
import type { TestNode } from './test-node.ts'

/** An import as the API shows it. */
export interface Import {
  id: string
  owner: string
  kind: string
  source: string
  state: string
  bytes: number
  total?: number
  infoHash?: string
  error?: { code: string; detail: string }
  links: { self: string; item?: string }
}

/** A web server for as long as the test runs. @returns its base URL */
export async function site(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Asks for imports of one node as its operator, or with another token. */
export class Importing {
  readonly #node: TestNode
  readonly #headers: Record<string, string>

  constructor(node: TestNode, token = node.token) {
    this.#node = node
    this.#headers = { authorization: `Bearer ${token}` }
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return this.#node.ask(path, { ...init, headers: { ...(init.headers as Record<string, string>), ...this.#headers } })
  }

  post(body: object): Promise<Response> {
    const headers = { 'content-type': 'application/json' }
    return this.ask('/v1/imports', { method: 'POST', headers, body: JSON.stringify(body) })
  }

  async begin(body: object): Promise<Import> {
    const response = await this.post(body)
    const view = (await response.json()) as Import
    if (response.status !== 202 || response.headers.get('location') !== view.links.self)
      throw new Error(`it was answered with ${response.status}: ${JSON.stringify(view)}`)
    return view
  }

  async look({ id }: { id: string }): Promise<Import> {
    return (await (await this.ask(`/v1/imports/${id}`)).json()) as Import
  }

  async cancel({ id }: { id: string }): Promise<Import> {
    const response = await this.ask(`/v1/imports/${id}`, { method: 'DELETE' })
    const view = (await response.json()) as Import
    if (response.status !== 200) throw new Error(`it was answered with ${response.status}: ${JSON.stringify(view)}`)
    return view
  }

  /** Resolves once it is like that. */
  until(view: Import, isLike: (view: Import) => boolean): Promise<Import> {
    return vi.waitFor(
      async () => {
        const now = await this.look(view)
        if (!isLike(now)) throw new Error(`the import is ${JSON.stringify(now)}`)
        return now
      },
      { timeout: 25_000, interval: 20 },
    )
  }

  over(view: Import): Promise<Import> {
    return this.until(view, ({ state }) => state !== 'queued' && state !== 'running')
  }

  /** Begins, and waits for the end. */
  async run(body: object): Promise<Import> {
    return await this.over(await this.begin(body))
  }
}
