import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import * as core from '@eldernode/core'
import type * as Core from '@eldernode/core'
import { createGraph, MemoryGraphStore } from '@eldernode/core/graph'
import type * as CoreGraph from '@eldernode/core/graph'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { lacks, programPath } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

declare global {
  /** The bundle's only global, in the page. */
  var coreInPage: typeof Core & { graph: typeof CoreGraph }
}

interface Vector {
  infoHash: string
  pub: string
  capacity: number
  score: number
}

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const source = join(import.meta.dirname, '../../packages/core/src')
const now = 1_800_000_000_000
const body = { name: 'naïve 😀', list: [3, 1, 2], nested: { b: null, a: 0.1 } }
const cannotBrowse = lacks('chromium')

let server: Server
let browser: Browser
let page: Page
const faults: Error[] = []

async function bundle(): Promise<string> {
  const entry = 'entry.ts'
  const index = JSON.stringify(join(source, 'index.ts'))
  const graph = JSON.stringify(join(source, 'graph/index.ts'))
  const build = await rolldown({
    input: entry,
    platform: 'browser',
    plugins: [
      {
        name: 'both entries of core as one',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? `export * from ${index}\nexport * as graph from ${graph}` : undefined),
      },
    ],
    resolve: { conditionNames: ['browser', 'import', 'default'] },
    onLog(level, log) {
      if (level === 'warn' && log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message)
    },
  })
  const { output } = await build.generate({ format: 'iife', name: 'coreInPage' })
  await build.close()
  return output[0].code
}

beforeAll(async () => {
  const script = await bundle()
  server = createServer((request, response) => {
    if (request.url === '/core.js') response.setHeader('content-type', 'text/javascript').end(script)
    else response.setHeader('content-type', 'text/html').end('<!doctype html><script src="/core.js"></script>')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  browser = await chromium.launch({ executablePath: programPath('chromium'), args: flags })
  page = await browser.newPage()
  page.on('pageerror', (fault) => faults.push(fault))
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
})

afterAll(async () => {
  await browser.close()
  await new Promise((closed) => server.close(closed))
})

test.skipIf(cannotBrowse)('core loads in a page without a fault and without another file', async () => {
  expect(await page.evaluate(() => Object.keys(coreInPage).toSorted())).toEqual(
    [...Object.keys(core), 'graph'].toSorted(),
  )
  expect(faults).toEqual([])
})

test.skipIf(cannotBrowse)('what Node seals the browser opens, and the other way round', async () => {
  const identity = await core.WebIdentity.generate()
  const network = core.networkIdOf(identity.id)
  const expected = { network, now }
  const sealed = await core.seal({ kind: 'm', network, ts: now, body }, identity)

  const there = await page.evaluate(
    async (given) => {
      const verifier = new coreInPage.WebVerifier()
      const opened = await coreInPage.open(given.sealed, given.expected, verifier)
      const forged = given.sealed.replace('[3,1,2]', '[3,1,1]')
      const refused = await Promise.resolve()
        .then(() => coreInPage.open(forged, given.expected, verifier))
        .catch((error: unknown) => (error instanceof coreInPage.EldernodeError ? error.code : String(error)))
      const signer = await coreInPage.WebIdentity.generate()
      const { network: here, now: ts } = given.expected
      const answer = await coreInPage.seal({ kind: 'h', network: here, ts, body: given.body }, signer)
      return { opened: opened.body, refused, answer, id: signer.id }
    },
    { sealed, expected, body },
  )

  expect(there.opened).toEqual(body)
  expect(there.refused).toBe('bad_signature')
  const back = await core.open(there.answer, expected, new core.WebVerifier())
  expect(back).toMatchObject({ kind: 'h', pub: there.id, body })
})

test.skipIf(cannotBrowse)('a key moves between Node and the browser', async () => {
  const jwk = await (await core.WebIdentity.generate()).exportJwk()
  const id = await page.evaluate(async (key) => {
    const identity = await coreInPage.WebIdentity.fromJwk(key)
    return { id: identity.id, again: await identity.exportJwk() }
  }, jwk)
  expect(id).toEqual({ id: jwk.x, again: jwk })
})

test.skipIf(cannotBrowse)('placement computes the kept vectors', async () => {
  const vectors = JSON.parse(await readFile(join(source, 'placement/vectors.json'), 'utf8')) as Vector[]
  const scores = await page.evaluate(
    (list) =>
      list.map(({ infoHash, pub, capacity }) => {
        const standing = { zone: '', operator: '', capacity, free: 0, state: 'active' as const }
        return coreInPage.score(coreInPage.itemHalves(infoHash), coreInPage.candidate(pub, standing))
      }),
    vectors,
  )
  expect(vectors.length).toBeGreaterThan(0)
  for (const [i, { score }] of vectors.entries()) expect(scores[i]! / score).toBeCloseTo(1, 12)
})

test.skipIf(cannotBrowse)('a request signed in the browser passes the gate of a node', async () => {
  const request = { method: 'GET', url: 'http://node.example:8765/v1/media/x/torrent' }
  const { id, headers } = await page.evaluate(
    async (given) => {
      const signer = await coreInPage.WebIdentity.generate()
      return { id: signer.id, headers: await coreInPage.signRequest(given.request, signer, given.now) }
    },
    { request, now },
  )
  const gate = new core.RequestGate({ verifier: new core.WebVerifier(), admits: () => true, now: () => now })
  expect(await gate.check(request, headers)).toBe(id)
})

test.skipIf(cannotBrowse)('a graph in a page and one in Node exchange values', async () => {
  const identity = await core.WebIdentity.generate()
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  const here = createGraph({
    network: { owner: identity.id, open: true },
    identity,
    verifier: new core.WebVerifier(),
    store: new MemoryGraphStore(),
    dial: () => Promise.reject(new Error('this side does not dial')),
    peers: [],
    onFault: (error) => faults.push(error instanceof Error ? error : new Error(String(error))),
  })
  sockets.on('connection', (ws) =>
    here.accept({
      send: (text) => ws.send(text),
      close: (code) => ws.close(code),
      terminate: () => ws.terminate(),
      get bufferedAmount() {
        return ws.bufferedAmount
      },
      onMessage: (listener) => ws.on('message', (data: Buffer) => listener(data.toString())),
      onClose: (listener) => ws.on('close', listener),
    }),
  )
  try {
    await here.start()
    const hash = 'aa'.repeat(20)
    await here.publish('h', 'aa', { held: [hash], releasing: [], refused: [] })
    const there = await page.evaluate(joinGraph, {
      owner: identity.id,
      url: `ws://127.0.0.1:${(sockets.address() as AddressInfo).port}/gun`,
      bucket: 'aa',
      answer: 'bb'.repeat(20),
    })
    expect(there.held).toEqual([hash])
    await until(() => here.get('h', there.id, 'bb')?.body.held[0] === 'bb'.repeat(20), {
      within: 10_000,
      what: 'the page is heard',
    })
    expect(faults).toEqual([])
  } finally {
    await here.close()
    await new Promise((closed) => sockets.close(closed))
  }
})

/** Runs in the page: joins the network, waits for the owner's holdings and publishes some of its own. */
async function joinGraph(given: { owner: string; url: string; bucket: string; answer: string }) {
  const { createGraph: create, MemoryGraphStore: Store } = coreInPage.graph
  const identity = await coreInPage.WebIdentity.generate()
  const dial: CoreGraph.Dial = (url) =>
    new Promise((resolve, reject) => {
      const ws = new WebSocket(url)
      ws.addEventListener('error', () => reject(new Error(`no link to ${url}`)))
      ws.addEventListener('open', () =>
        resolve({
          send: (text) => ws.send(text),
          // A page may not send the protocol's own codes below 3000.
          close: () => ws.close(),
          terminate: () => ws.close(),
          get bufferedAmount() {
            return ws.bufferedAmount
          },
          onMessage: (listener) => ws.addEventListener('message', ({ data }) => listener(String(data))),
          onClose: (listener) => ws.addEventListener('close', ({ code }) => listener(code)),
        }),
      )
    })
  const graph = create({
    network: { owner: given.owner, open: true },
    identity,
    verifier: new coreInPage.WebVerifier(),
    store: new Store(),
    dial,
    peers: [given.url],
    onFault: (error) => {
      throw error
    },
  })
  await graph.start()
  const heard = await new Promise<string[]>((resolve) => {
    graph.watch('h', ({ pub, body: { held } }) => pub === given.owner && resolve(held))
  })
  await graph.publish('h', 'bb', { held: [given.answer], releasing: [], refused: [] })
  return { id: identity.id, held: heard }
}
