import type { IncomingMessage, ServerResponse } from 'node:http'
import { Shared } from '../shared.ts'
import { readPath, TrackerPath } from '../wire/index.ts'
import type { Counts } from './counts.ts'

const plainText = 'text/plain; charset=utf-8'

/** What `/metrics` tells: of this process, or of all that are one tracker. */
export interface Figures {
  readonly contentType: string
  metrics(): Promise<string>
}

/** What an operator has to do with. */
export interface OperatorDoors {
  /** @returns whether the path is one of them: then it is answered */
  answer(request: IncomingMessage, response: ServerResponse): boolean
  /** Why this tracker serves nobody, or not everybody; none when it does. */
  health(): Promise<string[]>
}

/** What is no tracker's business on its port: `/health`, `/metrics`, the operator's doors, and what there is not. */
export class HttpPages {
  readonly #figures: Figures
  readonly #metricsText: Shared<string>
  readonly #reasons: Shared<string[]>
  readonly #doors: OperatorDoors
  readonly #counts: Counts

  readonly #path = new TrackerPath()

  /** @param now milliseconds, never going backwards */
  constructor(figures: Figures, doors: OperatorDoors, counts: Counts, now: () => number) {
    this.#figures = figures
    this.#metricsText = new Shared(() => figures.metrics(), now)
    this.#reasons = new Shared(() => doors.health(), now)
    this.#doors = doors
    this.#counts = counts
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#doors.answer(request, response)) return
    const [path = ''] = (request.url ?? '').split('?', 1)
    const isGet = request.method === 'GET'
    if (!isGet && (path === '/health' || path === '/metrics' || readPath(path, this.#path)))
      return send(response, 405, plainText, 'only GET is served here\n', true)
    if (path === '/health') return void this.#health(response)
    if (path === '/metrics') return void this.#metrics(response)
    send(response, 404, plainText, 'a BitTorrent tracker: announce at /announce\n', !isGet)
  }

  async #health(response: ServerResponse): Promise<void> {
    try {
      const reasons = await this.#reasons.read()
      if (reasons.length === 0) send(response, 200, plainText, 'ok\n')
      else send(response, 503, plainText, reasons.map((reason) => `${reason}\n`).join(''))
    } catch (error) {
      this.#counts.failed('http', error as Error)
      send(response, 500, plainText, 'the health could not be found out\n')
    }
  }

  async #metrics(response: ServerResponse): Promise<void> {
    try {
      send(response, 200, this.#figures.contentType, await this.#metricsText.read())
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
