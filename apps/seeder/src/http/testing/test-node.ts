import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { vi } from 'vitest'
import { startNode } from '../../compose.ts'
import { type Config, configSchema } from '../../config.ts'

type Groups = { [Name in keyof Config]?: Partial<Config[Name]> }

/** A whole seeder on free loopback ports, with its data in a folder of its own. */
export interface TestNode {
  url: string
  data: string
  token: string
  /** `fetch` below the node's URL, with the token unless `headers` say otherwise. */
  ask(path: string, init?: RequestInit): Promise<Response>
  /** Sends text or bytes as they are, and resolves with all that came back until the connection closed. */
  raw(...parts: (string | Uint8Array)[]): Promise<string>
  /** Resolves once the staging folder is empty. */
  swept(): Promise<void>
  restart(settings?: Groups): Promise<void>
  stop(): Promise<void>
}

export async function startTestNode(settings: Groups = {}): Promise<TestNode> {
  const data = await mkdtemp(join(tmpdir(), 'eldernode-http-'))
  const start = (more: Groups) => startNode(configOf(data, more), pino({ level: 'silent' }))
  let running = await start(settings)
  const token = (await readFile(join(data, 'admin.token'), 'utf8')).trim()
  const node: TestNode = {
    url: running.url,
    data,
    token,
    ask: (path, init = {}) =>
      fetch(`${node.url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
        ...(init.body instanceof ReadableStream && { duplex: 'half' }),
      }),
    raw: (...parts) => exchange(Number(new URL(node.url).port), parts),
    swept: () =>
      vi.waitFor(
        async () => {
          const left = await readdir(join(data, 'incoming'))
          if (left.length > 0) throw new Error(`left in incoming: ${left.join(', ')}`)
        },
        { timeout: 20_000, interval: 20 },
      ),
    restart: async (more = settings) => {
      await running.stop()
      running = await start(more)
      node.url = running.url
    },
    stop: async () => {
      await running.stop()
      await rm(data, { recursive: true })
    },
  }
  return node
}

function configOf(data: string, settings: Groups): Config {
  return configSchema.parse({
    data,
    ...settings,
    http: { port: 0, ...settings.http },
    swarm: { port: 0, ...settings.swarm },
    network: { allowPrivate: true, ...settings.network },
    node: { ...settings.node },
    storage: { ...settings.storage },
    uploads: { ...settings.uploads },
    replicas: { ...settings.replicas },
    retention: { ...settings.retention },
    // Tests ask as fast as they can.
    rate: { token: 0, address: 0, failures: 0, ...settings.rate },
    quota: { ...settings.quota },
    log: { level: 'silent' },
  })
}

function exchange(port: number, parts: (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => (text += chunk))
    // A reset after the answer is how a refused body ends; what was read until then counts.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
    for (const part of parts) socket.write(part)
  })
}
