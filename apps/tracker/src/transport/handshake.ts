import { createHash } from 'node:crypto'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { HttpHead } from '../wire/index.ts'

/** Whether this asks for a WebSocket as RFC 6455 wants it. */
export const isHandshake = ({ isUpgrade, webSocketKey, webSocketVersion }: HttpHead): boolean =>
  isUpgrade && webSocketVersion === '13' && /^[+/0-9a-z]{22}==$/i.test(webSocketKey)

export const handshakeAnswer = (key: string): string => {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}

/** Who does not read a refusal is not waited for. */
const refusalMs = 5000

/** Refuses an upgrade, and hangs up. @param status number and name */
export const turnAway = (stream: Duplex, status: string): void => {
  stream.on('error', () => stream.destroy())
  if (stream instanceof Socket) stream.setTimeout(refusalMs, () => stream.destroy())
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy())
}
