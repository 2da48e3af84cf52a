import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'

const maxAnswerBytes = 256 * 1024

export interface HttpAnswer {
  status: number
  body: Uint8Array
  /** Where a redirect leads. */
  location: string | undefined
  /** Milliseconds, when the server says so. */
  retryAfter: number | undefined
}

/** One request and the answer to it, limited in size. */
export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly #answered: (answer: HttpAnswer) => void
  readonly #failed: (error: Error) => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: IncomingHttpHeaders = {}
  readonly #chunks: Buffer[] = []
  #size = 0
  #aborted: Error | undefined

  constructor(answered: (answer: HttpAnswer) => void, failed: (error: Error) => void) {
    this.#answered = answered
    this.#failed = failed
  }

  abort(error: Error): void {
    this.#aborted = error
    this.#controller?.abort(error)
    // One that still waits for a connection is given up when it gets one.
    this.#failed(error)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#aborted !== undefined) controller.abort(this.#aborted)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > maxAnswerBytes)
      return controller.abort(new RangeError(`the answer is longer than ${maxAnswerBytes} bytes`))
    this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const [first, second] = this.#chunks
    const { location, 'retry-after': retryAfter } = this.#headers
    this.#answered({
      status: this.#status,
      body: first !== undefined && second === undefined ? first : Buffer.concat(this.#chunks),
      location: [301, 302, 303, 307, 308].includes(this.#status) ? location : undefined,
      retryAfter: /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) * 1000 : undefined,
    })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#failed(error)
  }
}
