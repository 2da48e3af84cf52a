import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpHead } from '../wire/index.ts'
import { type Family, parseAddress } from './address.ts'
import { contentType } from './http-connection.ts'
import type { Asker } from './http-tracker.ts'

/** Who asked through `node:http`. */
export class PageAsker implements Asker {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse | undefined

  constructor(request: IncomingMessage, response?: ServerResponse) {
    this.#request = request
    this.#response = response
  }

  get remote(): string {
    return this.#request.socket.remoteAddress ?? ''
  }

  caller(into: Int32Array): Family | undefined {
    return parseAddress(this.remote, into)
  }

  reply(status: number, text: string, isLast = false): void {
    const ending = isLast ? ['connection', 'close'] : []
    this.#response?.writeHead(status, ['content-type', contentType, 'content-length', String(text.length), ...ending])
    this.#response?.end(text, 'latin1')
  }
}

/** What `node:http` has read, as far as the tracker wants to know it. */
export const headOf = ({ url = '', headers }: IncomingMessage, head: HttpHead): void => {
  const mark = url.indexOf('?')
  head.path = mark === -1 ? url : url.slice(0, mark)
  head.search = mark === -1 ? '' : url.slice(mark + 1)
  const forwarded = headers['x-forwarded-for'] ?? ''
  head.forwardedFor = Array.isArray(forwarded) ? forwarded.join(',') : forwarded
  head.isUpgrade = headers.upgrade?.toLowerCase() === 'websocket'
  head.webSocketKey = headers['sec-websocket-key'] ?? ''
  head.webSocketVersion = headers['sec-websocket-version'] ?? ''
}
