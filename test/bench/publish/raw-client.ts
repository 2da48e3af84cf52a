import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** One keep-alive connection that publishes by `PUT`, with as little work of its own as can be. */
export class RawClient {
  readonly #socket: Socket
  readonly #token: string
  #waiting: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined
  #text = ''

  static async connect(url: string, token: string): Promise<RawClient> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    return new RawClient(socket, token)
  }

  private constructor(socket: Socket, token: string) {
    this.#socket = socket
    this.#token = token
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('the seeder closed the connection')))
  }

  /** @returns the status of the answer, which was read whole */
  async put(name: string, size: number, blocks: Iterable<Uint8Array>): Promise<number> {
    const answer = new Promise<number>((resolve, reject) => (this.#waiting = { resolve, reject }))
    const head = [
      `PUT /v1/media?name=${name} HTTP/1.1`,
      'Host: seeder',
      `Authorization: Bearer ${this.#token}`,
      'Content-Type: application/octet-stream',
      `Content-Length: ${size}`,
    ]
    this.#socket.cork()
    this.#socket.write(`${head.join('\r\n')}\r\n\r\n`, 'latin1')
    for (const block of blocks) {
      const more = this.#socket.write(block)
      this.#socket.uncork()
      if (!more) await Promise.race([once(this.#socket, 'drain'), answer])
    }
    return await answer
  }

  close(): void {
    this.#waiting = undefined
    this.#socket.destroy()
  }

  #read(text: string): void {
    this.#text += text
    const end = this.#text.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#text.slice(0, end)
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
    if (this.#text.length < end + 4 + length) return
    this.#text = this.#text.slice(end + 4 + length)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(Number(head.slice(9, 12)))
  }
}
