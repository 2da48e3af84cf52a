import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import { populate, Seeder, Tracker, until } from '../harness/index.ts'

const items = 600
/** Seconds. The announcer has no shorter one. */
const interval = 15
const transports = ['http', 'udp', 'ws'] as const

let folder: string
let trackers: Tracker[]
let seeder: Seeder

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-outage-'))
  trackers = await Promise.all(transports.map(() => started(0)))
  const urls = trackers.map(({ urls: plain, webSocketUrl }, index) =>
    [...plain, webSocketUrl].find((url) => url.startsWith(transports[index] ?? '')),
  )
  seeder = new Seeder('node', join(folder, 'node'), {
    'network.allowPrivate': true,
    'swarm.trackers': urls.map((url) => url ?? ''),
  })
  await populate(seeder.folder, { items, published: true })
  await seeder.start()
})

afterEach(async () => {
  await seeder.stop()
  for (const tracker of trackers) await tracker.stop()
  await rm(folder, { recursive: true, force: true })
})

async function started(port: number): Promise<Tracker> {
  const tracker = new Tracker({ port, 'announce.intervalSeconds': interval })
  await tracker.start()
  return tracker
}

/** Items that a tracker has heard of. */
async function known({ port }: Tracker): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Number(/^eldernode_tracker_torrents (\d+)$/m.exec(metrics)?.[1])
}

/** A place where a tracker was: counts who comes. */
async function ruin(port: number): Promise<{ visits: () => number; close: () => Promise<void> }> {
  let visits = 0
  const server = createServer((socket) => {
    visits++
    socket.on('error', () => {})
    socket.destroy()
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    server.close()
    await once(server, 'close')
  }
  return { visits: () => visits, close }
}

/** When a tracker was seen to know how many items, in seconds. */
type History = { at: number; known: number }[]

async function recovery(tracker: Tracker): Promise<History> {
  const history: History = []
  await until(
    async () => {
      const count = await known(tracker)
      history.push({ at: performance.now() / 1000, known: count })
      return count === items
    },
    { within: 60_000, every: 200, what: `a tracker knows ${items} items` },
  )
  return history
}

/** The most items a second that were announced in any second or somewhat more. */
function highestRate(history: History): number {
  const rates = history.flatMap((from, index) => {
    const to = history.slice(index).find(({ at }) => at - from.at >= 1)
    return to === undefined ? [] : [(to.known - from.known) / (to.at - from.at)]
  })
  return Math.max(...rates)
}

test('trackers that go and come back hear of every item within an interval, and of none in a burst', async () => {
  onTestFailed(() => console.error(seeder.output()))
  await Promise.all(trackers.map((tracker) => recovery(tracker)))
  const ports = trackers.map(({ port }) => port)
  for (const tracker of trackers) await tracker.stop()
  const ruins = await Promise.all(ports.map((port) => ruin(port)))
  // UDP packets come to nobody, so that nobody counts them.
  await until(() => (ruins[0]?.visits() ?? 0) >= 3 && (ruins[2]?.visits() ?? 0) >= 3, {
    within: 60_000,
    what: 'the trackers are missed',
  })
  for (const { close } of ruins) await close()
  trackers = await Promise.all(ports.map((port) => started(port)))
  const histories = await Promise.all(trackers.map((tracker) => recovery(tracker)))
  for (const history of histories) {
    const first = history.find((seen) => seen.known > 0)
    const [began, ended] = [history.at(0)?.at ?? 0, history.at(-1)?.at ?? 0]
    expect((first?.at ?? ended) - began).toBeLessThan(10)
    expect(ended - (first?.at ?? 0)).toBeLessThan(interval + 2)
    expect(highestRate(history)).toBeLessThan((2 * items) / interval)
  }
})
