import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Program, until } from '../../harness/index.ts'

export const run = promisify(execFile)

/** The processor of the tracker, and that of the generator. */
const cores = { tracker: '0', generator: '1' }

export type Kind = 'eldernode' | 'stock' | 'opentracker'

/** A tracker as a process of its own, on one core. */
export interface Running {
  kind: Kind
  port: number
  /** Seconds of processor time so far. */
  cpu(): Promise<number>
  /** Bytes that are resident. */
  resident(): Promise<number>
  stop(): Promise<void>
}

const commands: Record<Kind, (port: number, folder: string) => { command: string; args: string[] }> = {
  eldernode: (port) => ({
    command: process.execPath,
    args: [
      // As the systemd unit and the Dockerfile have it.
      '--max-semi-space-size=8',
      resolve(import.meta.dirname, '../../../apps/tracker/dist/main.js'),
      `--port=${port}`,
      '--host=127.0.0.1',
      '--limits.sockets=30000',
      '--limits.peers=3000000',
      '--limits.peersPerSwarm=1000000',
      '--log.level=warn',
    ],
  }),
  stock: (port) => ({
    command: process.execPath,
    args: ['--conditions=@eldernode/source', join(import.meta.dirname, 'stock.ts'), String(port)],
  }),
  opentracker: (port, folder) => ({
    command: 'opentracker',
    args: ['-i', '127.0.0.1', '-p', String(port), '-P', String(port), '-d', folder, '-w', 'hashes.txt'],
  }),
}

const freePort = async (): Promise<number> => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

const answers = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

export const start = async (kind: Kind, folder: string): Promise<Running> => {
  const port = await freePort()
  const { command, args } = commands[kind](port, folder)
  const program = new Program({ name: kind, command: 'taskset', args: ['-c', cores.tracker, command, ...args] })
  try {
    await until(async () => await answers(port), { within: 20_000, what: `${kind} listens` })
  } catch (error) {
    throw new Error(`${kind} does not start: ${program.output()}`, { cause: error })
  }
  return {
    kind,
    port,
    cpu: async () => {
      const stat = await readFile(`/proc/${program.pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return (Number(fields[11]) + Number(fields[12])) / 100
    },
    resident: async () => {
      const status = await readFile(`/proc/${program.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024
    },
    stop: async () => void (await program.end('SIGKILL')),
  }
}

/** A generator on its core. @returns its output */
export const generate = async (command: string, args: readonly (string | number)[]): Promise<string> => {
  const { stdout } = await run('taskset', ['-c', cores.generator, command, ...args.map(String)], {
    maxBuffer: 2 ** 24,
  })
  return stdout
}

export const generatorArgs = (command: string, args: readonly (string | number)[]): string[] => [
  '-c',
  cores.generator,
  command,
  ...args.map(String),
]

/** Builds a generator that lies beside this file. @returns its path */
export const build = async (name: 'udp' | 'ws', folder: string): Promise<string> => {
  const path = join(folder, name)
  await run('gcc', ['-O2', '-o', path, join(import.meta.dirname, `${name}.c`)])
  return path
}
