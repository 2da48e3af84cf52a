import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { Egress, type EgressLimits } from '../../egress/index.ts'
import { openWebSource, type WebSourceOptions } from '../web-source.ts'

async function listen(server: Server | TcpServer, host = '127.0.0.1', port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
  return (server.address() as AddressInfo).port
}

export async function site(
  listener: RequestListener,
  host?: string,
  port?: number,
): Promise<{ url: string; port: number; urls: string[] }> {
  const urls: string[] = []
  const server = createServer((request, response) => {
    urls.push(request.url ?? '')
    listener(request, response)
  })
  const bound = await listen(server, host, port)
  onTestFinished(() => server.closeAllConnections())
  return { url: `http://${host ?? '127.0.0.1'}:${bound}`, port: bound, urls }
}

/** A server that says exactly this to whoever connects, and then what `more` sends. */
export async function raw(text: string, more: (socket: Socket) => void = (socket) => socket.end()): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.once('data', () => {
      socket.write(text)
      more(socket)
    })
  })
  const port = await listen(server)
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
  return `http://127.0.0.1:${port}/`
}

export function egressOf(allowed: string[] | 'all' = 'all', limits: EgressLimits = {}): Egress {
  const policy = { allowPrivate: allowed === 'all', allowedOrigins: allowed === 'all' ? [] : allowed }
  const egress = new Egress(policy, { connectTimeout: 2_000, ...limits })
  onTestFinished(() => egress.close())
  return egress
}

interface Given extends Partial<WebSourceOptions> {
  egress?: Egress
}

export async function read(
  url: string,
  { egress = egressOf(), ...options }: Given = {},
): Promise<{ name: string; bytes: Buffer }> {
  const { name, bytes } = await openWebSource(url, {
    dispatcher: egress.dispatcher,
    maxBytes: 1_000_000,
    pace: { windowMs: 10_000, bytesPerSecond: 1 },
    signal: AbortSignal.timeout(20_000),
    ...options,
  })
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return { name, bytes: Buffer.concat(chunks) }
}

export const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
/** An error of that code. */
export const refusal = (code: string): unknown => expect.objectContaining({ code })
