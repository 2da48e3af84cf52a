import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import { join, dirname } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Two processes on one machine cannot resolve the names that hide local addresses.
  '--disable-features=WebRtcHideLocalIpsWithMdns',
]

const plainPage = `<!doctype html><title>plain page</title>
<script type="module">import WebTorrent from '/webtorrent.min.js'; globalThis.WebTorrent = WebTorrent</script>`

export interface BrowserDownload {
  /** SHA-256 of the item's only file, in hex; empty when the download was left before its end. */
  sha256: string
  bytes: number
  /** Milliseconds from adding the magnet until the last byte. */
  elapsed: number
  /** Milliseconds from adding the magnet until the first byte. */
  firstByte: number
}

export interface BrowserSeed {
  infoHash: string
  pieceLength: number
  end(): Promise<void>
}

/** Headless Chromium with a plain page that loads the stock WebTorrent bundle of the npm package. */
export class StockBrowser {
  readonly #browser: Browser
  /** A flag of no meaning that tells its processes from those of others. */
  readonly #mark: string
  readonly #origin: string
  readonly #close: () => Promise<void>

  constructor(browser: Browser, mark: string, origin: string, close: () => Promise<void>) {
    this.#browser = browser
    this.#mark = mark
    this.#origin = origin
    this.#close = close
  }

  static async launch(): Promise<StockBrowser> {
    const packageRoot = dirname(createRequire(import.meta.url).resolve('webtorrent/package.json'))
    const bundle = await readFile(join(packageRoot, 'dist', 'webtorrent.min.js'))
    const server = createServer((request, response) => {
      if (request.url === '/webtorrent.min.js') response.setHeader('content-type', 'text/javascript').end(bundle)
      else response.setHeader('content-type', 'text/html').end(plainPage)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const mark = `--eldernode-${randomUUID()}`
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: [...flags, mark] })
    return new StockBrowser(browser, mark, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, async () => {
      await browser.close()
      await new Promise((resolve) => server.close(resolve))
    })
  }

  /** A fresh profile, so that nothing is left of an earlier download. */
  async page(): Promise<Page> {
    const context = await this.#browser.newContext()
    const page = await context.newPage()
    await page.goto(this.#origin)
    return page
  }

  /** Adds the magnet and waits for every byte, or for `upTo` of them. */
  async download(magnet: string, within: number, upTo?: number): Promise<BrowserDownload> {
    const page = await this.page()
    try {
      return await this.downloadIn(page, magnet, within, upTo)
    } finally {
      await page.context().close()
    }
  }

  /** The same in a page that is there already. */
  downloadIn(page: Page, magnet: string, within: number, upTo?: number): Promise<BrowserDownload> {
    return page.evaluate(download, { magnet, within, upTo: upTo ?? Infinity })
  }

  /** Has a page seed bytes until `end`. */
  async seed(name: string, bytes: Uint8Array, tracker: string): Promise<BrowserSeed> {
    const page = await this.page()
    const base64 = Buffer.from(bytes).toString('base64')
    const seeded = await page.evaluate(seed, { name, base64, tracker })
    return { ...seeded, end: () => page.context().close() }
  }

  /** The process through which the browser's packets go. */
  async networkProcess(): Promise<number> {
    for (const [pid, purpose] of await this.processes()) if (purpose === 'network') return pid
    throw new Error('the browser has no network process')
  }

  /** What each of its processes is for just now, by number. */
  async processes(): Promise<Map<number, string>> {
    const all = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(describeProcess))
    const main = all.find(({ command }) => command.includes(this.#mark) && !command.includes('--type='))
    const purposes = new Map<number, string>()
    for (let next = main === undefined ? [] : [main]; next.length > 0;) {
      for (const { pid, command } of next) purposes.set(pid, purposeOf(command))
      // One that ended and is not yet waited for has no command.
      next = all.filter(({ pid, parent, command }) => command !== '' && purposes.has(parent) && !purposes.has(pid))
    }
    return purposes
  }

  close(): Promise<void> {
    return this.#close()
  }
}

interface Client {
  seed(file: File, options: { announce: string[] }, seeded: (torrent: Torrent) => void): Torrent
  add(magnet: string, added: (torrent: Torrent) => void): Torrent
  on(event: 'error', listener: (error: Error) => void): void
}

interface Torrent {
  infoHash: string
  pieceLength: number
  downloaded: number
  progress: number
  numPeers: number
  ready: boolean
  files: { arrayBuffer(): Promise<ArrayBuffer> }[]
  wires: { peerChoking: boolean; amInterested: boolean; requests: unknown[]; downloaded: number }[]
  on(event: 'done' | 'download', listener: () => void): void
}

/** As Chromium says on the command line: `renderer`, `network`, `gpu-process`; `browser` for the one that started all. */
function purposeOf(command: string): string {
  return /--utility-sub-type=(\w+)\.mojom/.exec(command)?.[1] ?? /--type=([\w-]+)/.exec(command)?.[1] ?? 'browser'
}

async function describeProcess(name: string): Promise<{ pid: number; parent: number; command: string }> {
  const read = (file: string): Promise<string> => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')
  const [stat, command] = [await read('stat'), await read('cmdline')]
  return { pid: Number(name), parent: Number(/\) \S (\d+)/.exec(stat)?.[1]), command }
}

/** Runs in the page. */
async function download(asked: { magnet: string; within: number; upTo: number }): Promise<BrowserDownload> {
  const { WebTorrent } = globalThis as unknown as { WebTorrent: new () => Client }
  const client = new WebTorrent()
  const started = performance.now()
  let firstByte = 0
  const torrent = await new Promise<Torrent>((resolve, reject) => {
    client.on('error', reject)
    const seen = client.add(asked.magnet, (added) => {
      added.on('download', () => {
        firstByte ||= performance.now() - started
        if (added.downloaded >= asked.upTo) resolve(added)
      })
      added.on('done', () => resolve(added))
    })
    setTimeout(() => {
      const wires = seen.wires.map((w) => ({
        choking: w.peerChoking,
        interested: w.amInterested,
        requests: w.requests.length,
        downloaded: w.downloaded,
      }))
      const state = { ready: seen.ready, progress: seen.progress, peers: seen.numPeers, wires }
      reject(new Error(`not within ${asked.within} ms: ${JSON.stringify(state)}`))
    }, asked.within)
  })
  const elapsed = performance.now() - started
  if (torrent.progress < 1) return { sha256: '', bytes: torrent.downloaded, elapsed, firstByte }
  const bytes = (await torrent.files[0]?.arrayBuffer()) ?? new ArrayBuffer(0)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { sha256, bytes: bytes.byteLength, elapsed, firstByte }
}

/** Runs in the page; the client lives as long as the page does. */
async function seed(asked: { name: string; base64: string; tracker: string }): Promise<Omit<BrowserSeed, 'end'>> {
  const { WebTorrent } = globalThis as unknown as { WebTorrent: new () => Client }
  const client = new WebTorrent()
  const bytes = Uint8Array.from(atob(asked.base64), (character) => character.charCodeAt(0))
  return await new Promise((resolve, reject) => {
    client.on('error', reject)
    client.seed(new File([bytes], asked.name), { announce: [asked.tracker] }, ({ infoHash, pieceLength }) => {
      resolve({ infoHash, pieceLength })
    })
  })
}
