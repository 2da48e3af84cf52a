import { fileURLToPath } from 'node:url'
import { logLine } from './log-line.ts'
import { Program } from './program.ts'
import { until } from './until.ts'

const script = fileURLToPath(new URL('../../apps/tracker/src/main.ts', import.meta.url))

/** The tracker program on a free port. */
export class Tracker {
  readonly #program: Program
  #urls: string[] = []

  constructor(settings: Readonly<Record<string, string | number>> = {}) {
    this.#program = new Program({
      name: 'tracker',
      command: process.execPath,
      args: [
        '--conditions=@eldernode/source',
        // As the unit and the image start it.
        '--max-semi-space-size=8',
        script,
        '--host=127.0.0.1',
        '--port=0',
        ...Object.entries(settings).map(([key, value]) => `--${key}=${value}`),
      ],
    })
  }

  /** Its HTTP and UDP announce URLs. */
  get urls(): string[] {
    return this.#urls.filter((url) => !url.startsWith('ws'))
  }

  get webSocketUrl(): string {
    return this.#urls.find((url) => url.startsWith('ws')) ?? ''
  }

  get port(): number {
    return Number(new URL(this.webSocketUrl).port)
  }

  /** Its id as a member of a network, once it says so. */
  nodeId(): string | undefined {
    return this.#program.found((line) => {
      const node = logLine(line)?.['node']
      return typeof node === 'string' ? node : undefined
    })
  }

  /** Peers that have all of a torrent, as the tracker knows them. */
  async seedersOf(infoHash: string): Promise<number> {
    const url = `http://${new URL(this.webSocketUrl).host}/scrape?info_hash=${infoHash.replace(/../g, '%$&')}`
    const answer = Buffer.from(await (await fetch(url)).arrayBuffer()).toString('latin1')
    return Number(/d8:completei(\d+)e/.exec(answer)?.[1] ?? 0)
  }

  /** The exit code or signal, once the process has ended. */
  get ended(): number | NodeJS.Signals | undefined {
    return this.#program.ended
  }

  get pid(): number {
    return this.#program.pid
  }

  /** Its output so far. */
  get lines(): readonly string[] {
    return this.#program.lines
  }

  async start(): Promise<void> {
    this.#urls = await until(
      () => {
        const urls = this.#program.lines.flatMap((line) => {
          const entry = logLine(line)
          return entry?.['msg'] === 'listening' && typeof entry['url'] === 'string' ? [entry['url']] : []
        })
        return urls.length >= 3 ? urls : undefined
      },
      { within: 60_000, what: 'the tracker listens' },
    )
  }

  async stop(): Promise<number | NodeJS.Signals> {
    return await this.#program.end('SIGTERM')
  }

  output(): string {
    return this.#program.output()
  }
}
