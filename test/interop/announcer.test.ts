import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { Egress } from '@eldernode/seeder/egress'
import { createSwarm, type Swarm } from '@eldernode/seeder/swarm'
import Server from 'bittorrent-tracker/server'
import { pino } from 'pino'
import { afterEach, test } from 'vitest'
import { Tracker, until } from '../harness/index.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** The stock tracker. */
async function stockTracker(): Promise<{ server: Server; urls: Record<string, string> }> {
  const server = new Server({ http: true, udp: true, ws: true, stats: false, interval: 60_000 })
  await new Promise<void>((resolve) => {
    server.listen({}, { http: '127.0.0.1', udp: '127.0.0.1', udp6: '::1' }, resolve)
  })
  closing.push(() => {
    server.http.closeAllConnections()
    return new Promise<void>((resolve) => server.close(resolve))
  })
  const port = (server.http.address() as AddressInfo).port
  const urls = {
    http: `http://127.0.0.1:${port}/announce`,
    udp: `udp://127.0.0.1:${server.udp4.address().port}`,
    ws: `ws://127.0.0.1:${port}`,
  }
  return { server, urls }
}

/** A swarm of items that are asleep. */
async function seed(trackers: string[]): Promise<Swarm> {
  const egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  const swarm = createSwarm({
    port: 0,
    host: '127.0.0.1',
    trackers,
    shelf: { open: () => Promise.resolve(undefined) },
    egress,
    logger: pino({ level: 'silent' }),
  })
  await swarm.start()
  closing.push(async () => {
    await swarm.close()
    await egress.close()
  })
  return swarm
}

const names = (count: number): string[] => Array.from({ length: count }, () => randomBytes(20).toString('hex'))

test.for(['http', 'udp', 'ws'])('the stock tracker knows a library by %s, and forgets it', async (transport) => {
  const { server, urls } = await stockTracker()
  const swarm = await seed([urls[transport] ?? ''])
  const library = names(100)
  const complete = (): number => library.filter((infoHash) => server.torrents[infoHash]?.complete === 1).length
  swarm.restore(library)
  const [fresh = ''] = names(1)
  swarm.seed(fresh)
  await until(() => server.torrents[fresh]?.complete === 1, { within: 5_000, what: 'a new item is announced' })
  await until(() => complete() === library.length, { within: 30_000, what: 'the library is announced' })
  const [gone = ''] = library
  await swarm.remove(gone)
  await until(() => complete() === library.length - 1, { within: 5_000, what: 'a removed item is stopped' })
  await swarm.close()
  await until(() => complete() === 0, { within: 3_000, what: 'the stopping node says farewell' })
})

test.for(['http', 'udp', 'ws'])('our tracker knows a library by %s, and refuses nothing', async (transport) => {
  const tracker = new Tracker()
  await tracker.start()
  closing.push(() => tracker.stop())
  const url = [...tracker.urls, tracker.webSocketUrl].find((known) => known.startsWith(transport)) ?? ''
  const swarm = await seed([url])
  const library = names(60)
  swarm.restore(library)
  const complete = async (): Promise<number> => {
    const query = library.map((infoHash) => `info_hash=${infoHash.replace(/../g, '%$&')}`).join('&')
    const answer = await (await fetch(`http://127.0.0.1:${tracker.port}/scrape?${query}`)).arrayBuffer()
    return Buffer.from(answer).toString('latin1').split('8:completei1e').length - 1
  }
  await until(async () => (await complete()) === library.length, { within: 20_000, what: 'the library is announced' })
  await swarm.close()
  await until(async () => (await complete()) === 0, { within: 3_000, what: 'the stopping node says farewell' })
})
