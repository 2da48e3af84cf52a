import { type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TooManyRequestsError } from '@eldernode/core'
import { MalformedRequestError } from './errors.ts'
import type { Places } from './places.ts'
import { problemOf, problemType } from './problem.ts'

/** Requests of one connection that wait for their answers; each may hold a file open, and none costs its sender more. */
const mostPipelined = 16
/** What is read, and thrown away, of a body that is not wanted. */
const mostDropped = 16 * 2 ** 20
/** A client that was answered before its body had arrived gets so long to read the answer. */
const lingerMs = 1000

/** What happens on connections before a request has a handler and after it was answered. */
export class Connections {
  readonly #answering = new WeakMap<Duplex, Set<ServerResponse>>()
  readonly #places: Places

  constructor(places: Places) {
    this.#places = places
  }

  /** @throws TooManyRequestsError for what is piled up on one connection, which ends */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const responses = this.#answering.get(socket) ?? new Set()
    this.#answering.set(socket, responses.add(response))
    this.#places.busy(socket)
    if (responses.size > mostPipelined) {
      socket.destroy()
      throw new TooManyRequestsError(
        `more than ${mostPipelined} requests wait on one connection; read the answers first`,
      )
    }
    response.once('close', () => {
      responses.delete(response)
      if (responses.size === 0) this.#places.idle(socket)
      if (!request.complete) dropRest(request, socket)
    })
  }

  /** Tells a client that asked (RFC 9110, section 10.1.1) to send its body, once nothing speaks against it. */
  invite(request: IncomingMessage, response: ServerResponse): void {
    if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
  }

  /** Answers what is no HTTP request. An upload on the same connection ends, since its length cannot be trusted. */
  refuse(error: Error, socket: Duplex): void {
    socket.emit('refused')
    const begun = [...(this.#answering.get(socket) ?? [])].some(({ headersSent }) => headersSent)
    // Between the bytes of another answer these would be taken for a part of it.
    if (begun || !socket.writable) {
      socket.destroy()
      return
    }
    const code = 'code' in error ? error.code : undefined
    const problem = problemOf(
      code === 'HPE_HEADER_OVERFLOW' || code === 'ERR_HTTP_REQUEST_TIMEOUT' ? error : new MalformedRequestError(),
    )
    const body = JSON.stringify(problem)
    const head = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `Content-Type: ${problemType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
  }
}

/**
 * Closing at once would reset the connection, and the client would never see why it was refused. A request that was left
 * in the middle of its body knows its socket no more.
 */
function dropRest(request: IncomingMessage, socket: Socket): void {
  if (socket.destroyed) return
  request.unpipe()
  request.resume()
  socket.resume()
  // Node reads on and throws away without telling anybody; only the socket counts.
  const most = socket.bytesRead + mostDropped
  const end = (): void => {
    clearInterval(greedy)
    clearTimeout(late)
    socket.off('close', end)
  }
  const greedy = setInterval(() => {
    if (request.complete) end()
    else if (socket.bytesRead > most) socket.destroy()
  }, 10)
  const late = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', end)
}
