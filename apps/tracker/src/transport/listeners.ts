import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIP } from 'node:net'
import { ListenError } from './errors.ts'
import type { HttpTransport } from './http.ts'
import type { UdpTransport } from './udp.ts'
import type { WebSocketTransport } from './websocket.ts'

/** Attempts to find one number that is free both for TCP and for UDP. */
const attempts = 10

const goodbyeMs = 500

/** Throws `ListenError` when somebody listens on the port, even one who would share it. */
export const ensureFree = async (host: string, port: number): Promise<void> => {
  const server = createServer()
  const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4')
  try {
    server.listen(port, host)
    await once(server, 'listening')
    socket.bind(port, host)
    await once(socket, 'listening')
  } catch (error) {
    throw new ListenError(host, port, error)
  } finally {
    server.close()
    socket.close()
  }
}

/** The three transports on one port number. */
export class Listeners {
  readonly #http: HttpTransport
  readonly #udp: UdpTransport
  readonly #webSockets: WebSocketTransport

  constructor(http: HttpTransport, udp: UdpTransport, webSockets: WebSocketTransport) {
    this.#http = http
    this.#udp = udp
    this.#webSockets = webSockets
  }

  /**
   * Resolves to the real port; 0 asks for a free one. Throws `ListenError`.
   *
   * @param isShared whether other processes of this tracker listen there, too
   */
  async start(host: string, port: number, isShared = false): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      try {
        const tcpPort = await this.#http.start(host, port, isShared)
        await this.#udp.start(host, tcpPort, isShared)
        this.#webSockets.start()
        return tcpPort
      } catch (error) {
        await this.#http.stop()
        if (port !== 0 || attempt === attempts) throw new ListenError(host, port, error)
      }
    }
  }

  /** On TCP and on UDP. */
  get isListening(): boolean {
    return this.#http.isListening && this.#udp.isListening
  }

  /** Ends every connection within a second. */
  async stop(): Promise<void> {
    const left = this.#webSockets.stop()
    const cut = setTimeout(() => {
      this.#webSockets.terminate()
      this.#http.terminate()
    }, goodbyeMs)
    await Promise.all([left, this.#http.stop(), this.#udp.stop()])
    clearTimeout(cut)
  }
}
