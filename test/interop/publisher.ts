import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Seeder, Tracker, type Media } from '../harness/index.ts'
import type { Settings } from '../harness/seeder.ts'

/** A real tracker and a real seeder that announces to it, and a folder for what clients download. */
export class Publisher {
  readonly folder: string
  readonly tracker: Tracker
  readonly seeder: Seeder

  private constructor(folder: string, tracker: Tracker, seeder: Seeder) {
    this.folder = folder
    this.tracker = tracker
    this.seeder = seeder
  }

  /** `host` is the address that both listen on. */
  static async start(host = '127.0.0.1', settings: Settings = {}): Promise<Publisher> {
    const folder = await mkdtemp(join(tmpdir(), 'eldernode-interop-'))
    const tracker = new Tracker({ host, members: host })
    await tracker.start()
    const seeder = new Seeder('node', join(folder, 'node'), {
      'network.allowPrivate': true,
      'http.host': host,
      'swarm.trackers': [...tracker.urls, tracker.webSocketUrl],
      ...settings,
    })
    await seeder.start()
    await seeder.ready()
    return new Publisher(folder, tracker, seeder)
  }

  /** Publishes several files as one item, in the given order. */
  async publishFolder(name: string, files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): Promise<Media> {
    const form = new FormData()
    for (const [path, bytes] of Object.entries(files)) form.append('file', new Blob([bytes]), `${name}/${path}`)
    const response = await fetch(`${this.seeder.url}/v1/media`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.seeder.token}` },
      body: form,
    })
    if (!response.ok) throw new Error(`publishing answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as Media
  }

  /** An empty folder of this run. */
  temporary(): Promise<string> {
    return mkdtemp(join(this.folder, 'client-'))
  }

  output(): string {
    return `${this.tracker.output()}\n${this.seeder.output()}`
  }

  async close(): Promise<void> {
    await this.seeder.stop()
    await this.tracker.stop()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** The magnet without the addresses of HTTP servers, so that bytes can only come from peers. */
export function withoutWebSeeds(magnet: string): string {
  return magnet
    .split('&')
    .filter((part) => !part.startsWith('ws='))
    .join('&')
}
