import type { Socket } from '@eldernode/core/graph'
import { WebSocket } from 'ws'
import type { RawData } from 'ws'

/** Options of every graph socket. The graph cuts a link at 2 MiB of text; beyond this the parser itself does. */
export const socketOptions = { maxPayload: 4 << 20, perMessageDeflate: false, skipUTF8Validation: false } as const

const pingTime = 30_000
/** RFC 6455, section 7.4.1. */
const messageTooBig = 1009

/** A `ws` socket as the graph knows it. Pinged every 30 s: one that has not answered by the next ping is ended. */
export function graphSocket(ws: WebSocket): Socket {
  let answered = true
  let closed: number | undefined
  const closeListeners: ((code: number) => void)[] = []
  const ping = setInterval(() => {
    if (!answered) return ws.terminate()
    answered = false
    if (ws.readyState === WebSocket.OPEN) ws.ping()
  }, pingTime)
  ws.on('pong', () => {
    answered = true
  })
  // A failure is always followed by `close`, which does not say that it was the other side's too large message.
  let tooLarge = false
  ws.on('error', (error) => {
    tooLarge ||= 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
  })
  ws.on('close', (code) => {
    clearInterval(ping)
    closed = tooLarge ? messageTooBig : code
    for (const listener of closeListeners) listener(closed)
  })
  return {
    send: (text) => ws.send(text),
    close: (code) => ws.close(code),
    terminate: () => ws.terminate(),
    get bufferedAmount() {
      return ws.bufferedAmount
    },
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    onMessage: (listener) => {
      ws.on('message', (data) => listener(textOf(data)))
    },
    onClose: (listener) => {
      if (closed === undefined) closeListeners.push(listener)
      else listener(closed)
    },
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString()
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString()
}
