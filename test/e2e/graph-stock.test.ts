import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { networkIdOf } from '@eldernode/core'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { GraphNetwork } from '../harness/graph-network.ts'
import { manifestOf } from '../harness/graph-values.ts'
import { lacks, programPath } from '../harness/tools.ts'

const program = fileURLToPath(new URL('../harness/stock-gun.ts', import.meta.url))

let network: GraphNetwork
let soul: string
const manifest = manifestOf('stock', 0)

beforeAll(async () => {
  network = await GraphNetwork.start()
  await network.owner.ask({ do: 'publish', from: 0, count: 300, salt: 'stock', parallel: 16 })
  soul = `en1/${networkIdOf(network.ownerId)}/m/${network.owner.id}/${manifest.infoHash.slice(0, 2)}`
})

afterAll(async () => {
  await network.stop()
})

test('a stock GUN client in Node reads a manifest', async () => {
  const url = network.owner.url.replace('ws:', 'http:')
  const args = [program, url, soul, manifest.infoHash]
  // The package makes a folder for its store where it runs, whatever it is told.
  const cwd = await mkdtemp(join(tmpdir(), 'eldernode-gun-'))
  onTestFinished(() => rm(cwd, { recursive: true }))
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 30_000 })
  const value = stdout.split('value:')[1] ?? ''
  expect(JSON.parse(value)).toMatchObject({ kind: 'm', pub: network.owner.id, body: manifest })
  expect((await network.owner.state()).stats.refused).toEqual({})
})

test.skipIf(lacks('chromium'))('a stock GUN client in a browser reads a manifest', async () => {
  const gun = await readFile(createRequire(import.meta.url).resolve('gun/gun.min.js'), 'utf8')
  const page = `<!doctype html><title>reader</title><script>${gun}</script>`
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(page))
  server.listen(0, '127.0.0.1')
  const chrome = await chromium.launch({ executablePath: programPath('chromium'), args: ['--no-sandbox'] })
  try {
    const tab = await chrome.newPage()
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const script = `new Promise((resolve) => {
      const gun = Gun({ peers: [${JSON.stringify(network.owner.url.replace('ws:', 'http:'))}], localStorage: false })
      gun.get(${JSON.stringify(soul)}).get(${JSON.stringify(manifest.infoHash)}).on(resolve)
    })`
    const value = await tab.evaluate<string>(script)
    expect(JSON.parse(value)).toMatchObject({ kind: 'm', body: manifest })
  } finally {
    await chrome.close()
    server.close()
  }
})
