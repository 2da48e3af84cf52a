import { join } from 'node:path'
import { Egress } from '@eldernode/seeder/egress'
import { createSwarm } from '@eldernode/seeder/swarm'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { seededBytes, sha256, sha256OfFile, until, type Media } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'
import { StockBrowser } from './browser.ts'
import { Publisher, withoutWebSeeds } from './publisher.ts'

const needed = lacks('chromium')
let publisher: Publisher
let browser: StockBrowser
let item: Media

beforeAll(async () => {
  if (needed) return
  publisher = await Publisher.start()
  browser = await StockBrowser.launch()
  item = await publisher.seeder.publish('clip.bin', seededBytes(11, 5_000_000))
  // Loads the bundle and the browser's own parts once.
  await (await browser.page()).context().close()
})

afterAll(async () => {
  await browser?.close()
  await publisher?.close()
})

test.skipIf(needed)(
  'a stock browser has 5 MB over WebRTC within 5 s of adding the magnet, ten times out of ten',
  async () => {
    onTestFailed(() => console.error(publisher.output()))
    const rounds = []
    for (let round = 0; round < 10; round++) {
      rounds.push(await browser.download(withoutWebSeeds(item.magnet), 30_000))
    }
    expect(rounds.map(({ sha256: sum }) => sum)).toEqual(Array.from({ length: 10 }, () => item.sha256))
    expect(Math.max(...rounds.map(({ elapsed }) => elapsed))).toBeLessThan(5_000)
  },
)

test.skipIf(needed)('a stock browser downloads by the published magnet, web seed and all', async () => {
  const downloaded = await browser.download(item.magnet, 30_000)
  expect(downloaded.sha256).toBe(item.sha256)
})

async function isLogged(msg: string, within: number): Promise<boolean> {
  const deadline = performance.now() + within
  await until(() => publisher.seeder.logged({ msg }) || performance.now() > deadline, { within: 2 * within, what: msg })
  return Boolean(publisher.seeder.logged({ msg }))
}

test.skipIf(needed)('a connection through which nothing passes any more is made anew by the seeder', async () => {
  onTestFailed(() => console.error(publisher.output()))
  const large = await publisher.seeder.publish('large.bin', seededBytes(13, 100_000_000))
  const before = await sent(publisher)
  const network = await browser.networkProcess()
  const downloading = browser.download(withoutWebSeeds(large.magnet), 90_000)
  downloading.catch(() => {})
  // What waits in the send buffer alone is not seen from here: a freeze that catches less is made again.
  let noticed = false
  for (let freeze = 1; !noticed && freeze <= 5; freeze++) {
    await until(async () => (await sent(publisher)) > before + freeze * 12_000_000, {
      within: 30_000,
      what: 'the download is under way',
    })
    process.kill(network, 'SIGSTOP')
    try {
      noticed = await isLogged('a WebRTC connection stalled and is made anew', 10_000)
    } finally {
      process.kill(network, 'SIGCONT')
    }
  }
  expect(noticed).toBe(true)
  expect((await downloading).sha256).toBe(large.sha256)
})

test.skipIf(needed)('a stock browser is the only source of what a node fetches', { timeout: 180_000 }, async () => {
  const bytes = seededBytes(12, 3_000_000)
  const egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  const swarm = createSwarm({
    port: 0,
    host: new URL(publisher.tracker.webSocketUrl).hostname,
    trackers: [publisher.tracker.webSocketUrl],
    shelf: { open: async () => undefined },
    egress,
    logger: pino({ level: 'silent' }),
  })
  await swarm.start()
  const seeding = await browser.seed('from a browser.bin', bytes, publisher.tracker.webSocketUrl)
  try {
    const folder = await publisher.temporary()
    const fetched = await swarm.fetch({
      ...seeding,
      size: bytes.length,
      peers: [],
      webSeeds: [],
      filePath: (index) => join(folder, String(index)),
      // A connection that fails is made again with the next announce, up to half a minute later.
      signal: AbortSignal.timeout(150_000),
    })
    expect(fetched.files).toEqual([{ path: 'from a browser.bin', size: bytes.length }])
    expect(await sha256OfFile(join(folder, '0'))).toBe(sha256(bytes))
  } finally {
    await seeding.end()
    await swarm.close()
    await egress.close()
  }
})

/** Bytes that the seeder sent to peers since its start. */
async function sent({ seeder }: Publisher): Promise<number> {
  const metrics = await (await fetch(`${seeder.url}/metrics`)).text()
  return Number(/^eldernode_swarm_uploaded_bytes\S* (\S+)$/m.exec(metrics)?.[1])
}
