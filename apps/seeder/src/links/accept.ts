import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Graph } from '@eldernode/core/graph'
import { WebSocketServer } from 'ws'
import { graphSocket, socketOptions } from './socket.ts'

const path = '/gun'

/**
 * Answers WebSocket upgrades at `/gun` and hands the sockets to the graph. Upgrades of other paths are left to other
 * listeners; without any they are refused.
 * @returns a function that takes the listener off again; open sockets belong to the graph
 */
export function acceptGun(server: Server, graph: Pick<Graph, 'accept'>): () => void {
  const sockets = new WebSocketServer({ noServer: true, ...socketOptions })
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (pathOf(request) !== path) {
      if (server.listenerCount('upgrade') === 1) socket.destroy()
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => graph.accept(graphSocket(ws)))
  }
  server.on('upgrade', upgrade)
  return () => {
    server.off('upgrade', upgrade)
    sockets.close()
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0]?.replace(/\/$/, '') ?? ''
}
