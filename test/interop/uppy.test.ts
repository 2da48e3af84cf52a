import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Seeder, sha256, until } from '../harness/index.ts'
import { lacks, programPath } from '../harness/tools.ts'
import type * as UppyPage from './uppy-page.ts'

declare global {
  /** The bundle's only global, in the page. */
  var uppyInPage: typeof UppyPage
}

const cannotBrowse = lacks('chromium')
const size = 8_000_000
const modulus = 253

let folder: string
let seeder: Seeder
let server: Server
let browser: Browser

async function bundle(): Promise<string> {
  const build = await rolldown({ input: join(import.meta.dirname, 'uppy-page.ts'), platform: 'browser' })
  const { output } = await build.generate({ format: 'iife', name: 'uppyInPage' })
  await build.close()
  return output[0].code
}

beforeAll(async () => {
  if (cannotBrowse) return
  const script = await bundle()
  server = createServer((request, response) => {
    if (request.url === '/uppy.js') response.setHeader('content-type', 'text/javascript').end(script)
    else response.setHeader('content-type', 'text/html').end('<!doctype html><script src="/uppy.js"></script>')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  folder = await mkdtemp(join(tmpdir(), 'eldernode-uppy-'))
  seeder = new Seeder('uploads', join(folder, 'data'), { 'network.allowPrivate': true, 'cors.origins': ['*'] })
  await seeder.start()
  await seeder.ready()
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
  browser = await chromium.launch({ executablePath: programPath('chromium'), args })
})

afterAll(async () => {
  if (cannotBrowse) return
  await browser.close()
  await seeder.stop()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})

test.skipIf(cannotBrowse)('stock Uppy on a page of another origin uploads a file, pauses, and goes on', async () => {
  const page = await browser.newPage()
  const offsets: number[] = []
  page.on('request', async (request) => {
    if (request.method() === 'PATCH') offsets.push(Number(await request.headerValue('upload-offset')))
  })
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const wanted = { endpoint: `${seeder.url}/v1/uploads`, token: seeder.token, name: 'film.bin', size, modulus }
  await page.evaluate((options) => globalThis.uppyInPage.uploadAndPause(options), { ...wanted, pauseAt: size / 2 })
  const before = offsets.length
  expect(before).toBeGreaterThan(2)
  expect(await seeder.get<{ items: unknown[] }>('/v1/media')).toMatchObject({ items: [] })

  expect(await page.evaluate(() => globalThis.uppyInPage.resume())).toEqual({ failed: [], complete: 1 })
  // What is there is not sent again.
  expect(offsets[before]).toBeGreaterThanOrEqual(size / 2 - 1_000_000)
  const [item] = await until(
    async () => {
      const { items } = await seeder.get<{ items: { name: string; sha256: string }[] }>('/v1/media')
      return items.length > 0 ? items : undefined
    },
    { within: 10_000, what: 'the item is listed' },
  )
  const bytes = Uint8Array.from({ length: size }, (_, n) => n % modulus)
  expect(item).toMatchObject({ name: 'film.bin', sha256: sha256(bytes) })
})
