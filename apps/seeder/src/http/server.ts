import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { createApp } from './app.ts'
import { Connections } from './connections.ts'
import { ListenError } from './errors.ts'
import { Places } from './places.ts'
import type { Services } from './services.ts'
import { RunningUploads } from './uploads/running-uploads.ts'

/** On closing, answers under way get so many milliseconds. */
const drainMs = 2000
const mostConnections = 8192

export interface HttpServer {
  /** For upgrades to other protocols. */
  readonly server: Server
  /** A connection that speaks another protocol from now on does not give way to new ones. */
  keep(socket: Duplex): void
  /** @returns the base URL, with the real port when 0 was asked for. @throws ListenError */
  listen(address: { host: string; port: number }): Promise<string>
  /** Takes no new connections, answers what is under way, and lets unfinished uploads clean up behind themselves. */
  close(): Promise<void>
}

export async function createServer(services: Services): Promise<HttpServer> {
  const uploads = new RunningUploads()
  const places = new Places(mostConnections)
  const app = await createApp(services, new Connections(places), uploads)
  app.server.on('connection', (socket) => places.take(socket))
  return {
    server: app.server,
    keep: (socket) => places.busy(socket),
    listen: async ({ host, port }) => {
      try {
        return await app.listen({ host, port })
      } catch (error) {
        throw new ListenError(host, port, { cause: error })
      }
    },
    close: async () => {
      const impatient = setTimeout(() => app.server.closeAllConnections(), drainMs)
      try {
        await app.close()
        await uploads.settled()
      } finally {
        clearTimeout(impatient)
      }
    },
  }
}
