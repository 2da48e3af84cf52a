import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The plaintext of an encrypted file, decrypted as far as it is asked for. */
export interface PlainBytes {
  size: number
  /** @returns how many bytes were read; 0 at the end */
  read(target: Uint8Array, length: number, position: number): Promise<number>
  close(): Promise<void>
}

/** What tools are given instead of a path. */
export interface Served {
  url: string
  /** What their process needs in its environment to be let in. */
  environment: Record<string, string>
  bytes(): AsyncIterable<Uint8Array>
}

const stretchBytes = 2 ** 20
/** Reserved (RFC 6761): whoever has no proxy to ask reaches nobody. */
const url = 'http://plain.invalid/file'

/**
 * Where tools read what must not touch a disk: a server on the loopback address, which is their HTTP proxy. The secret that
 * lets them in stands in their environment, which other users of the machine cannot read, as they can arguments, and is of
 * no use once `work` is over. Whatever address a file has them ask for over HTTP, they reach this server, and one file.
 */
export class PlainDoor {
  readonly #open = new Map<string, PlainBytes>()
  #server: Promise<Server> | undefined

  /** Lets a process read those bytes, and nothing else, as long as `work` takes. */
  async use<T>(bytes: PlainBytes, work: (served: Served) => Promise<T>): Promise<T> {
    const server = await (this.#server ??= this.#listen())
    const secret = randomBytes(32).toString('hex')
    const { port } = server.address() as AddressInfo
    this.#open.set(authorization(secret), bytes)
    try {
      const environment = { http_proxy: `http://${secret}:@127.0.0.1:${port}`, no_proxy: '' }
      return await work({ url, environment, bytes: () => stretches(bytes, 0, bytes.size) })
    } finally {
      this.#open.delete(authorization(secret))
    }
  }

  async close(): Promise<void> {
    const server = await this.#server?.catch(() => undefined)
    if (server === undefined) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  async #listen(): Promise<Server> {
    const server = createServer((request, response) => {
      // A reader that is gone needs no answer, and what cannot be decrypted ends its connection.
      this.#answer(request, response).catch(() => response.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = this.#open.get(request.headers['proxy-authorization'] ?? '')
    if (bytes === undefined) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="plain"', 'content-length': 0 }).end()
      return
    }
    if (request.method !== 'GET' || request.url?.replace('.invalid:80/', '.invalid/') !== url) {
      response.writeHead(404, { 'content-length': 0 }).end()
      return
    }
    const { size } = bytes
    const [, first = '0', last = ''] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(request.headers.range ?? '') ?? []
    const [from, to] = [Number(first), last === '' ? size : Math.min(size, Number(last) + 1)]
    if (from >= to) {
      response.writeHead(416, { 'content-range': `bytes */${size}`, 'content-length': 0 }).end()
      return
    }
    const range = { 'content-range': `bytes ${from}-${to - 1}/${size}`, 'accept-ranges': 'bytes' }
    response.writeHead(206, { ...range, 'content-length': to - from })
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    for await (const stretch of stretches(bytes, from, to)) {
      if (response.destroyed) return
      if (!response.write(stretch)) await once(response, 'drain', { signal: gone.signal })
    }
    response.end()
  }
}

function authorization(secret: string): string {
  return `Basic ${Buffer.from(`${secret}:`).toString('base64')}`
}

async function* stretches(bytes: PlainBytes, from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to;) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(stretchBytes, to - at))
    const length = await bytes.read(buffer, buffer.length, at)
    if (length === 0) throw new Error('a file ended before its time')
    yield buffer.subarray(0, length)
    at += length
  }
}
