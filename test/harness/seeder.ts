import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256 } from './bytes.ts'
import { logLine } from './log-line.ts'
import { Program } from './program.ts'
import { until } from './until.ts'

/** Settings by dotted key, as flags take them. */
export type Settings = Readonly<Record<string, string | number | boolean | readonly string[]>>

/** One item as the API shows it, as far as tests look at it. */
export interface Media {
  id: string
  magnet: string
  name: string
  size: number
  pieceLength: number
  sha256: string
  publisher: string
  files: { path: string; size: number; sha256: string }[]
}

/** How its process is started. */
export interface How {
  inspected?: boolean
  within?: readonly string[]
}

const script = fileURLToPath(new URL('../../apps/seeder/src/main.ts', import.meta.url))
/** The heap as its service has it; the rest lets it run from source. */
const options = ['--max-semi-space-size=8', '--conditions=@eldernode/source']

/** The seeder program in a data folder that outlives its processes. */
export class Seeder {
  readonly name: string
  readonly folder: string
  readonly #settings: Settings
  readonly #env: Readonly<Record<string, string>>
  readonly #within: readonly string[]
  readonly #output: string[] = []
  #program: Program | undefined
  #port = 0
  #token = ''
  #id = ''
  #ending = false

  /**
   * With `inspected` its memory can be looked into (`Heap.of`). `within` is a command that runs the program which its
   * further arguments name, and keeps the process id.
   */
  constructor(name: string, folder: string, settings: Settings, { inspected = false, within = [] }: How = {}) {
    this.name = name
    this.folder = folder
    this.#settings = settings
    this.#within = within
    this.#env = inspected ? { NODE_OPTIONS: '--inspect=127.0.0.1:0' } : {}
  }

  /** The node id; known once it was started. */
  get id(): string {
    return this.#id
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}`
  }

  get gun(): string {
    return `ws://${this.#host}:${this.#port}/gun`
  }

  get token(): string {
    return this.#token
  }

  get pid(): number {
    return this.#running().pid
  }

  /** False from the moment that a test ends it. */
  get isRunning(): boolean {
    return this.#program !== undefined && this.#program.ended === undefined && !this.#ending
  }

  /** Starts a process and waits until it listens; the port of its first start stays its own. */
  async start(): Promise<void> {
    if (this.isRunning) throw new Error(`${this.name} runs already`)
    if (this.#program) this.#output.push(this.#program.output())
    this.#ending = false
    const settings: Settings = {
      'swarm.port': 0,
      'rate.address': 0,
      ...this.#settings,
      data: this.folder,
      'http.port': this.#port,
    }
    // As its unit of systemd has it.
    const command = ['chrt', '--batch', '0', process.execPath, ...options, script, ...flagsOf(settings)]
    const [first = '', ...args] = [...this.#within, ...command]
    this.#program = new Program({
      name: this.name,
      command: first,
      args,
      env: this.#env,
    })
    this.#port = Number(new URL(await this.#listening(this.#program)).port)
    this.#token = (await readFile(join(this.folder, 'admin.token'), 'utf8')).trim()
    const node = await until(() => this.get<{ id: string }>('/v1/node'), {
      within: 10_000,
      what: `${this.name} answers`,
    })
    this.#id = node.id
  }

  /** Waits until `/ready` answers 200. */
  async ready(within = 30_000): Promise<void> {
    await until(
      async () => {
        const response = await fetch(`${this.url}/ready`)
        const text = await response.text()
        if (!response.ok) throw new Error(text)
        return true
      },
      { within, what: `${this.name} is ready` },
    )
  }

  /** Ends the process without a warning, as a power cut would. */
  async kill(): Promise<void> {
    this.#ending = true
    await this.#program?.end('SIGKILL')
  }

  async stop(): Promise<void> {
    this.#ending = true
    await this.#program?.stop()
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path)
    if (!response.ok)
      throw new Error(`GET ${path} of ${this.name} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as T
  }

  /** A request that the admin token allows. */
  async admin(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<Response> {
    return await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(typeof body === 'string' && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
    })
  }

  /** `host:port` where it listens for BitTorrent peers. */
  async peerAddress(): Promise<string> {
    const { endpoints } = await this.get<{ endpoints: { bittorrent?: string } }>('/v1/node')
    if (endpoints.bittorrent === undefined) throw new Error(`${this.name} listens for no peers`)
    return endpoints.bittorrent
  }

  /** Publishes bytes under a name. @throws Error unless it answers 200 or 201 */
  async publish(name: string, bytes: Uint8Array<ArrayBuffer>, replicas?: number): Promise<Media> {
    const copies = replicas === undefined ? '' : `&replicas=${replicas}`
    const response = await this.admin('PUT', `/v1/media?name=${encodeURIComponent(name)}${copies}`, bytes)
    if (!response.ok) throw new Error(`${this.name} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as Media
  }

  async retract(id: string): Promise<void> {
    const response = await this.admin('DELETE', `/v1/media/${id}`)
    if (!response.ok) throw new Error(`${this.name} answered ${response.status}: ${await response.text()}`)
  }

  /** Every item held, by infohash. */
  async items(): Promise<Map<string, Media>> {
    const items = new Map<string, Media>()
    let cursor = ''
    do {
      const page = await this.get<{ items: Media[]; nextCursor?: string }>(`/v1/media?limit=1000${cursor}`)
      for (const item of page.items) items.set(item.id, item)
      cursor = page.nextCursor === undefined ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`
    } while (cursor !== '')
    return items
  }

  /** What `/content` of an item answers. */
  async content(id: string): Promise<{ status: number; sha256: string }> {
    const response = await fetch(`${this.url}/v1/media/${id}/content`)
    return { status: response.status, sha256: sha256(new Uint8Array(await response.arrayBuffer())) }
  }

  async holds(id: string): Promise<boolean> {
    const response = await fetch(`${this.url}/v1/media/${id}`)
    await response.body?.cancel()
    return response.status === 200
  }

  /** Whether its present process logged a line with these fields. */
  logged(fields: Readonly<Record<string, unknown>>): boolean {
    const matches = (line: string): true | undefined => {
      const entry = logLine(line)
      return entry && Object.entries(fields).every(([key, value]) => entry[key] === value) ? true : undefined
    }
    return this.#running().found(matches) ?? false
  }

  /** Where its present process is looked into; undefined unless it is inspected. */
  get inspector(): string | undefined {
    return this.#running().found((line) => /^Debugger listening on (ws:\S+)/.exec(line)?.[1])
  }

  /** The lines of all its processes so far. */
  output(): string {
    return [...this.#output, this.#program?.output() ?? ''].join('\n')
  }

  async #listening(program: Program): Promise<string> {
    return await until(
      () => {
        const url = program.found((line) => {
          const entry = logLine(line)
          return entry?.['msg'] === 'listening' && typeof entry['url'] === 'string' ? entry['url'] : undefined
        })
        if (url === undefined && program.ended !== undefined) return 'ended'
        return url
      },
      { within: 60_000, what: `${this.name} listens` },
    ).then((url) => {
      if (url === 'ended') throw new Error(`${this.name} ended instead of listening\n${program.output()}`)
      return url
    })
  }

  get #host(): string {
    return String(this.#settings['http.host'] ?? '127.0.0.1')
  }

  #running(): Program {
    if (this.#program === undefined) throw new Error(`${this.name} was never started`)
    return this.#program
  }
}

function flagsOf(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([key, value]) => {
    const text = Array.isArray(value) ? value.join(',') : String(value)
    return text === '' ? [] : [`--${key}=${text}`]
  })
}
