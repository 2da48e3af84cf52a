import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Graph } from '@eldernode/core/graph'
import { WebSocket, WebSocketServer } from 'ws'
import { graphSocket, socketOptions } from './socket.ts'

const path = '/gun'
/** Sockets at once, twice the links of a graph: the rest are in their closing handshake or about to be displaced. */
const mostSockets = 1024

/**
 * Answers WebSocket upgrades at `/gun` and hands the sockets to the graph. Upgrades of other paths are left to other
 * listeners; without any they are refused. Of `most` sockets one that is closing makes room for the next; when none is,
 * the next is refused before its upgrade. `taken` is told of each socket that is one of the graph's from then on.
 * @returns a function that takes the listener off again; open sockets belong to the graph
 */
export function acceptGun(
  server: Server,
  graph: Pick<Graph, 'accept'>,
  most = mostSockets,
  taken: (socket: Duplex) => void = () => undefined,
): () => void {
  const sockets = new WebSocketServer({ noServer: true, ...socketOptions })
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (pathOf(request) !== path) {
      if (server.listenerCount('upgrade') === 1) socket.destroy()
      return
    }
    if (sockets.clients.size >= most && !endClosing(sockets.clients)) return void socket.destroy()
    sockets.handleUpgrade(request, socket, head, (ws) => {
      taken(socket)
      graph.accept(graphSocket(ws))
    })
  }
  server.on('upgrade', upgrade)
  return () => {
    server.off('upgrade', upgrade)
    sockets.close()
  }
}

function endClosing(clients: ReadonlySet<WebSocket>): boolean {
  for (const ws of clients) {
    if (ws.readyState !== WebSocket.CLOSING) continue
    ws.terminate()
    return true
  }
  return false
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0]?.replace(/\/$/, '') ?? ''
}
