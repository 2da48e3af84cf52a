import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { WebSocket } from 'ws'
import type { Seeder } from './seeder.ts'
import { until } from './until.ts'

/** What a process holds. */
export interface Footprint {
  /** Of the machine's memory: what is in use, and what the allocators keep for the next time. */
  residentBytes: number
  /** In use after a collection of garbage; 0 unless the process is inspected. */
  liveBytes: number
  /** Open files and sockets. */
  descriptors: number
}

export async function footprint(seeder: Seeder): Promise<Footprint> {
  const liveBytes = seeder.inspector === undefined ? 0 : await liveBytesOf(seeder.inspector)
  const [status, descriptors] = await Promise.all([
    readFile(`/proc/${seeder.pid}/status`, 'utf8'),
    readdir(`/proc/${seeder.pid}/fd`),
  ])
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kibibytes === undefined) throw new Error(`${seeder.name} has ended`)
  return { residentBytes: Number(kibibytes) * 1024, liveBytes, descriptors: descriptors.length }
}

/** Has the garbage collected, and asks how much is left on the heap and beside it. */
async function liveBytesOf(inspector: string): Promise<number> {
  const socket = new WebSocket(inspector)
  try {
    await once(socket, 'open')
    const call = async (id: number, method: string, params: object): Promise<string> => {
      socket.send(JSON.stringify({ id, method, params }))
      const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(20_000) })) as [Buffer]
      return answer.toString()
    }
    await call(1, 'HeapProfiler.collectGarbage', {})
    const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())'
    const answer = await call(2, 'Runtime.evaluate', { expression, returnByValue: true })
    const { result } = JSON.parse(answer) as { result: { result: { value: number } } }
    return result.result.value
  } finally {
    socket.terminate()
  }
}

/** A figure of `/metrics`: the sum over its labels, of lines that hold `label`. @throws Error for an unknown name */
export async function metric(seeder: Seeder, name: string, label = ''): Promise<number> {
  const text = await (await fetch(`${seeder.url}/metrics`)).text()
  if (!text.includes(`# TYPE eldernode_${name} `)) throw new Error(`${seeder.name} has no figure ${name}`)
  const lines = text.split('\n').filter((line) => /^\w+/.exec(line)?.[0] === `eldernode_${name}`)
  return lines.filter((line) => line.includes(label)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** Waits until a process holds no more than it did, apart from what is allowed. @returns what it holds then */
export async function backToLevel(seeder: Seeder, before: Footprint, allowed: Footprint): Promise<Footprint> {
  const keys = ['residentBytes', 'liveBytes', 'descriptors'] as const
  return await until(
    async () => {
      const now = await footprint(seeder)
      const grown = keys.filter((key) => now[key] > before[key] + allowed[key])
      if (grown.length > 0) throw new Error(grown.map((key) => `${key} rose from ${before[key]} to ${now[key]}`).join())
      return now
    },
    { within: 30_000, every: 250, what: `${seeder.name} holds no more than before` },
  )
}
