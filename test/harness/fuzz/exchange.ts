import { connect } from 'node:net'
import type { WireRequest } from './requests.ts'

export interface WireAnswer {
  /** 0 when nothing came that is an answer. */
  status: number
  /** The `code` of a problem. */
  code: string
  text: string
  /** How the connection ended: by the other side, or because enough was seen or waited for. */
  end: 'closed' | 'reset' | 'enough' | 'late'
}

const enough = 64 * 1024

/** Sends a request by a connection of its own, and reads to its end, or as much as tells what it is. */
export function exchange(port: number, { bytes, whole }: WireRequest): Promise<WireAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    let end: WireAnswer['end'] = 'closed'
    // One that is not whole may wait for the rest for as long as it likes.
    const late = setTimeout(
      () => {
        end = 'late'
        socket.destroy()
      },
      whole ? 60_000 : 150,
    )
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      const endless = /^content-type: text\/event-stream/im.test(text)
      if (!endless && text.length < enough) return
      end = 'enough'
      socket.destroy()
    })
    // A reset after the answer is how a refused body ends.
    socket.on('error', () => (end = 'reset'))
    socket.on('close', () => {
      clearTimeout(late)
      const status = Number(
        /^HTTP\/1\.1 ([1-9]\d\d) /.exec(text.replace(/^(HTTP\/1\.1 1\d\d [^]*?\r\n\r\n)+/, ''))?.[1] ?? 0,
      )
      resolve({ status, code: /"code":"([a-z_]+)"/.exec(text)?.[1] ?? '', text, end })
    })
    socket.write(bytes)
  })
}
