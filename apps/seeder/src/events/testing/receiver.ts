import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

type Answer = number | { status: number; headers: Record<string, string> } | 'none'

/** A webhook's other end: keeps what it gets, and answers as it is told. */
export class Receiver {
  readonly received: Received[] = []
  readonly #server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const got = { path: request.url ?? '', headers: request.headers, body }
      const answer = this.answer(got, this.received.length)
      this.received.push(got)
      if (answer === 'none') return
      const { status, headers } = typeof answer === 'number' ? { status: answer, headers: {} } : answer
      response.writeHead(status, headers).end('thanks')
    })
  })
  /** @param before how many it got before this one */
  answer: (got: Received, before: number) => Answer = () => 200

  static async open(): Promise<Receiver> {
    const receiver = new Receiver()
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The numbers of the events that it got, in order. */
  get events(): number[] {
    return this.received.map(({ body }) => (JSON.parse(body) as { data: { event: number } }).data.event)
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}
