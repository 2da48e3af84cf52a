import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** The key of an upgrade to WebSocket (RFC 6455), or undefined when it is none. */
export const handshakeKey = ({ headers }: IncomingMessage): string | undefined => {
  const key = headers['sec-websocket-key'] ?? ''
  const isRight = headers.upgrade?.toLowerCase() === 'websocket' && headers['sec-websocket-version'] === '13'
  return isRight && /^[+/0-9a-z]{22}==$/i.test(key) ? key : undefined
}

export const handshakeAnswer = (key: string): string => {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}
