import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { BusyError, RouteNotFoundError, UnauthorizedError } from './errors.ts'
import { type Problem, problemOf, problemType } from './problem.ts'
import { type Answer, type Route, type RouteParts, routesOf } from './routes.ts'

export interface AdminDoorOptions extends Omit<RouteParts, 'note'> {
  /** Whether somebody knows the token. */
  matches: (token: string) => boolean
  log: Logger
}

/** Requests that are answered at once; each may wait for the ledger. */
const atOnce = 32

/** The admin API under `/v1/`, and `/stats`. Without the token nobody learns which paths there are. */
export class AdminDoor {
  readonly #options: AdminDoorOptions
  readonly #routes: readonly Route[]
  #running = 0

  constructor(options: AdminDoorOptions) {
    this.#options = options
    this.#routes = routesOf({ ...options, note: (change, about) => options.log.info(about, change) })
  }

  /** @returns whether the path is one of these doors: then it is answered */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const [path = ''] = (request.url ?? '').split('?', 1)
    if (path !== '/stats' && path !== '/v1' && !path.startsWith('/v1/')) return false
    void this.#serve(request, response, path)
    return true
  }

  async #serve(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    this.#running++
    try {
      send(response, await this.#find(request, path), request)
    } catch (error) {
      const problem = problemOf(error)
      this.#note(problem, error, request.method, path)
      send(response, { status: problem.status, body: problem }, request)
    } finally {
      this.#running--
    }
  }

  /** Where it was thrown matters only of what nobody foresaw. */
  #note({ status, title, detail }: Problem, error: unknown, method: string | undefined, path: string): void {
    const { log } = this.#options
    if (status === 500) log.error({ err: error, method, path }, title)
    else if (status > 500) log.warn({ reason: detail, method, path }, title)
  }

  async #find(request: IncomingMessage, path: string): Promise<Answer> {
    const [, token] = /^Bearer ([\w-]{1,512})$/i.exec(request.headers.authorization ?? '') ?? []
    if (token === undefined || !this.#options.matches(token)) throw new UnauthorizedError()
    if (this.#running > atOnce) throw new BusyError(atOnce)
    const method = request.method ?? ''
    const query = new URLSearchParams((request.url ?? '').slice(path.length + 1))
    for (const route of this.#routes) {
      if (route.method !== method) continue
      const parts = partsOf(route.path, path)
      if (parts !== undefined) return await route.answer({ request, query, parts: parts.map(decoded) })
    }
    throw new RouteNotFoundError(method, path)
  }
}

/** What stands for each `{}` of a route's path, undefined when it is another one. */
const partsOf = (route: string, path: string): string[] | undefined => {
  const wanted = route.split('/')
  const found = path.split('/')
  if (wanted.length !== found.length) return undefined
  const parts: string[] = []
  for (const [at, part] of found.entries()) {
    if (wanted[at] === '{}') parts.push(part)
    else if (wanted[at] !== part) return undefined
  }
  return parts
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

const send = (response: ServerResponse, { status, body, location }: Answer, request: IncomingMessage): void => {
  if (response.destroyed) return
  const text = body === undefined ? '' : `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    ...(body !== undefined && { 'content-type': status < 400 ? 'application/json' : problemType }),
    ...(status !== 204 && { 'content-length': Buffer.byteLength(text) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(location !== undefined && { location }),
    // Passkeys are in some answers.
    'cache-control': 'no-store',
    // What is left of a body that nobody read must not be taken for the next request.
    ...(!request.complete && { connection: 'close' }),
  })
  response.end(text)
}
