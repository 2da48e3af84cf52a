import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Registry } from 'prom-client'
import type { Counts } from './counts.ts'

const plainText = 'text/plain; charset=utf-8'

/** What is no tracker's business on its port: `/health`, `/metrics`, and what there is not. */
export class HttpPages {
  readonly #registry: Registry
  readonly #counts: Counts

  constructor(registry: Registry, counts: Counts) {
    this.#registry = registry
    this.#counts = counts
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const [path] = (request.url ?? '').split('?', 1)
    if (request.method !== 'GET') return send(response, 405, plainText, 'only GET is served here\n', true)
    if (path === '/health') return send(response, 200, plainText, 'ok\n')
    if (path === '/metrics') return void this.#metrics(response)
    send(response, 404, plainText, 'a BitTorrent tracker: announce at /announce\n')
  }

  async #metrics(response: ServerResponse): Promise<void> {
    try {
      send(response, 200, this.#registry.contentType, await this.#registry.metrics())
    } catch (error) {
      this.#counts.failed('http', error as Error)
      send(response, 500, plainText, 'the metrics could not be read\n')
    }
  }
}

const send = (response: ServerResponse, status: number, type: string, text: string, isLast = false): void => {
  response.writeHead(status, [
    'content-type',
    type,
    'content-length',
    String(Buffer.byteLength(text)),
    ...(isLast ? ['connection', 'close'] : []),
  ])
  response.end(text)
}
