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

/** `http://host`, where requests to a proxy, and some others, carry it before the path (RFC 9112, 3.2.2). */
const authority = /^https?:\/\/[^/?]*/i

/** Gives the target the form that all others have. @returns whether the request says one host only (RFC 9112, 3.2) */
export const isPlain = (request: IncomingMessage): boolean => {
  const { url = '', rawHeaders } = request
  if (!url.startsWith('/')) {
    const path = url.replace(authority, '')
    request.url = path === '' || path.startsWith('?') ? `/${path}` : path
  }
  return rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === 'host').length < 2
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
