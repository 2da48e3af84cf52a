import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { GraphNetwork } from '../harness/graph-network.ts'
import { until } from '../harness/until.ts'

const crowd = 600
const places = 512
/** Milliseconds after which a socket that was ended comes again. */
const returnTime = 1000

let network: GraphNetwork
const sockets = new Set<WebSocket>()
const returning = new Set<ReturnType<typeof setTimeout>>()
let over = false

beforeAll(async () => {
  network = await GraphNetwork.start()
})

afterAll(async () => {
  over = true
  for (const timer of returning) clearTimeout(timer)
  for (const ws of sockets) ws.terminate()
  await network.stop()
})

/** A stranger that says nothing and comes back whenever it is ended. */
function idle(): void {
  const ws = new WebSocket(network.owner.url)
  sockets.add(ws)
  ws.on('error', () => undefined)
  ws.on('close', () => {
    sockets.delete(ws)
    if (over) return
    const timer = setTimeout(() => {
      returning.delete(timer)
      idle()
    }, returnTime)
    returning.add(timer)
  })
}

test('a member joins and syncs while a crowd that says nothing holds every place', async () => {
  const { owner } = network
  await owner.ask({ do: 'publish', from: 0, count: 20, salt: 'early', parallel: 4 })
  for (let i = 0; i < crowd; i++) idle()
  const refused = async (): Promise<number> => (await owner.state()).stats.refused['displaced'] ?? 0
  await until(async () => (await refused()) >= crowd - places, { within: 20_000, what: 'the crowd fills the node' })
  expect((await owner.state()).stats.links).toHaveLength(places)

  const member = await network.join()
  const linked = async () => (await owner.state()).stats.links.some((link) => link.member === member.id)
  await until(linked, { within: 2000, what: 'the member is linked' })
  await until(async () => (await member.state()).manifests === 20, { within: 5000, what: 'it has what was published' })
  await member.ask({ do: 'publish', from: 0, count: 5, salt: 'late', parallel: 1 })
  await until(async () => (await owner.state()).manifests === 25, { within: 5000, what: 'its own values arrive' })

  const displaced = await refused()
  await until(async () => (await refused()) > displaced + 100, { within: 20_000, what: 'the crowd keeps coming' })
  const { stats, faults } = await owner.state()
  expect(stats.links.filter((link) => link.member === member.id)).toHaveLength(1)
  expect(stats.links.length).toBeLessThanOrEqual(places)
  expect(stats.refused['links']).toBeUndefined()
  expect(faults).toEqual([])
})
