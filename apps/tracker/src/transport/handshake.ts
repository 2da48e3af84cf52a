import { createHash } from 'node:crypto'
import type { HttpHead } from '../wire/index.ts'

/** Whether this asks for a WebSocket as RFC 6455 wants it. */
export const isHandshake = ({ isUpgrade, webSocketKey, webSocketVersion }: HttpHead): boolean =>
  isUpgrade && webSocketVersion === '13' && /^[+/0-9a-z]{22}==$/i.test(webSocketKey)

export const handshakeAnswer = (key: string): string => {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}
