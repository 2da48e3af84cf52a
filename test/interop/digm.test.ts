import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { seededBytes, sha256, until } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'
import { StockBrowser } from './browser.ts'
import { Publisher, withoutWebSeeds } from './publisher.ts'

const needed = lacks('chromium')
const bytes = seededBytes(21, 700_000)
const preview = Buffer.from(seededBytes(22, 1_000_000)).toString('base64')
let publisher: Publisher
let browser: StockBrowser
let gun: string

beforeAll(async () => {
  if (needed) return
  publisher = await Publisher.start('127.0.0.1', { 'digm.accept': 'any', 'imports.allowPrivate': true })
  browser = await StockBrowser.launch()
  gun = await readFile(createRequire(import.meta.url).resolve('gun/gun.min.js'), 'utf8')
})

afterAll(async () => {
  await browser?.close()
  await publisher?.close()
})

interface Chain {
  get(key: string): Chain
  put(data: object, done?: (answer: { err?: string; ok?: unknown }) => void): Chain
  on(listener: (data: unknown) => void): void
  once(listener: (data: unknown, key: string) => void): Chain
  map(): Chain
}
interface Globals {
  Gun: (options: object) => Chain
  WebTorrent: new () => {
    seed(file: File, options: object, seeded: (torrent: { magnetURI: string; infoHash: string }) => void): void
  }
  gun: Chain
}

/** A page with the stock GUN client and the stock WebTorrent client, as DIGM's pages have them. */
async function client(): Promise<Page> {
  const page = await browser.page()
  await page.addScriptTag({ content: gun })
  await page.evaluate(
    (url) => {
      const globals = globalThis as unknown as Globals
      globals.gun = globals.Gun({ peers: [url], localStorage: false })
    },
    publisher.seeder.gun.replace('ws:', 'http:'),
  )
  return page
}

/** What the client does with an album: seeds it, writes it to the public maps, and asks eldernodes to seed it too. */
async function offer(page: Page, albumId: string, base64: string, audio: string): Promise<string> {
  const tracker = publisher.tracker.webSocketUrl
  return await page.evaluate(
    async (asked) => {
      const { gun: graph, WebTorrent } = globalThis as unknown as Globals
      const content = Uint8Array.from(atob(asked.base64), (character) => character.charCodeAt(0))
      const put = (map: string, id: string, data: object): Promise<void> =>
        new Promise((resolve, reject) => {
          graph
            .get(map)
            .get(id)
            .put(data, ({ err }) => (err === undefined ? resolve() : reject(new Error(err))))
        })
      const torrents = new WebTorrent()
      const magnetURI = await new Promise<string>((resolve) => {
        torrents.seed(new File([content], 'album.bin'), { announce: [asked.tracker] }, (torrent) =>
          resolve(torrent.magnetURI),
        )
      })
      await put('albums', asked.albumId, { title: 'Kind of Blue', artist: 'Miles Davis', year: 1959 })
      await put('previews', asked.albumId, { trackId: asked.albumId, audioData: asked.audio, size: 1_000_000 })
      const request = { albumId: asked.albumId, magnetURI, requestedAt: Date.now(), status: 'pending', priority: 1 }
      await put('seed-requests', asked.albumId, request)
      return magnetURI
    },
    { albumId, base64, audio, tracker },
  )
}

const read = (page: Page, map: string, id: string, key: string): Promise<unknown> =>
  page.evaluate(
    ([first, second, third]) =>
      new Promise((resolve) => {
        const { gun: graph } = globalThis as unknown as Globals
        graph
          .get(first ?? '')
          .get(second ?? '')
          .get(third ?? '')
          .on((value) => value !== undefined && resolve(value))
      }),
    [map, id, key],
  )

test.skipIf(needed)(
  'what a browser seeds and asks for is fetched from it, published, and seeded after it has gone',
  async () => {
    onTestFailed(() => console.error(publisher.output()))
    const page = await client()
    const magnet = await offer(page, 'album-1', Buffer.from(bytes).toString('base64'), preview)
    await until(async () => (await read(page, 'seed-requests', 'album-1', 'status')) === 'seeded', {
      within: 60_000,
      what: 'the request is met',
    })
    await page.context().close()

    const other = await client()
    expect(await read(other, 'albums', 'album-1', 'title')).toBe('Kind of Blue')
    expect(await read(other, 'previews', 'album-1', 'audioData')).toBe(preview)
    const { id } = publisher.seeder
    expect(await read(other, 'eldernodes', id, 'endpoint')).toBe(publisher.seeder.url)
    const started = Number(await read(other, 'eldernodes', id, 'lastSeen'))
    await until(async () => (await read(other, 'eldernodes', id, 'seedingCount')) === 1, {
      within: 20_000,
      what: 'the node says again that it is there',
    })
    expect(Number(await read(other, 'eldernodes', id, 'lastSeen'))).toBeGreaterThanOrEqual(started)
    const albums = await other.evaluate(
      () =>
        new Promise((resolve) => {
          const { gun: graph } = globalThis as unknown as Globals
          graph
            .get('albums')
            .map()
            .once((data, key) => resolve({ key, artist: (data as { artist: string }).artist }))
        }),
    )
    expect(albums).toEqual({ key: 'album-1', artist: 'Miles Davis' })
    await other.context().close()

    const downloaded = await browser.download(withoutWebSeeds(magnet), 30_000)
    expect(downloaded.sha256).toBe(sha256(bytes))
    // The way back when peer-to-peer fails.
    const direct = await fetch(`${publisher.seeder.url}/torrent/${encodeURIComponent(magnet)}`)
    expect([direct.status, direct.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
    expect(sha256(Buffer.from(await direct.arrayBuffer()))).toBe(sha256(bytes))
  },
)
