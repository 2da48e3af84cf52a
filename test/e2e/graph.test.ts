import { afterEach, beforeEach, expect, test } from 'vitest'
import { GraphNetwork } from '../harness/graph-network.ts'
import type { GraphNode } from '../harness/graph-network.ts'
import { until } from '../harness/until.ts'

let network: GraphNetwork

beforeEach(async () => {
  network = await GraphNetwork.start()
})

afterEach(async () => {
  await network.stop()
})

async function manifests(count: number, within: number, ...nodes: GraphNode[]): Promise<void> {
  const have = async (): Promise<boolean> => {
    const states = await Promise.all(nodes.map((node) => node.state()))
    const counts = states.map((state) => state.manifests)
    if (counts.every((each) => each === count)) return true
    throw new Error(`manifests: ${counts.join(', ')}`)
  }
  await until(have, { within, what: `${count} manifests at every node`, every: 100 })
}

test('10,000 manifests over a relay that is killed and comes back after a partition with writes on both sides', async () => {
  const relay = network.owner
  const [a, b] = [await network.join(), await network.join()]
  await GraphNetwork.inStep(a, b)

  await a.ask({ do: 'publish', from: 0, count: 3000, salt: 'a', parallel: 64 })
  await b.ask({ do: 'publish', from: 0, count: 1000, salt: 'b', parallel: 64 })
  await manifests(4000, 60_000, relay, a, b)

  await relay.kill()
  const cut = Date.now()
  await Promise.all([
    a.ask({ do: 'publish', from: 3000, count: 3000, salt: 'a', parallel: 64 }),
    b.ask({ do: 'publish', from: 1000, count: 3000, salt: 'b', parallel: 64 }),
  ])
  await until(() => Date.now() - cut >= 10_000, { within: 60_000, what: 'ten seconds of partition' })
  expect((await a.state()).manifests).toBe(7000)
  expect((await b.state()).manifests).toBe(7000)

  await relay.start()
  // Less than 10 s, but for cores that others keep busy.
  await manifests(10_000, 30_000, relay, a, b)
  for (const node of [relay, a, b]) {
    const { faults, stats } = await node.state()
    expect(faults).toEqual([])
    expect(Object.keys(stats.refused)).toEqual([])
  }
})

test('what was acknowledged survives kill -9, and a node that was away catches up', async () => {
  const [a, b] = [await network.join(), await network.join()]
  await GraphNetwork.inStep(a, b)
  await a.ask({ do: 'publish', from: 0, count: 500, salt: 'a', parallel: 32 })
  await a.kill()
  await b.ask({ do: 'publish', from: 0, count: 500, salt: 'b', parallel: 32 })
  await a.start()
  expect((await a.state()).manifests).toBeGreaterThanOrEqual(500)
  await manifests(1000, 30_000, a, b, network.owner)
})

test('close ends everything within a second and nothing keeps the process alive', async () => {
  const a = await network.join()
  await GraphNetwork.inStep(a)
  await a.ask({ do: 'publish', from: 0, count: 200, salt: 'a', parallel: 32 })
  for (const node of [a, network.owner]) {
    const { took, code } = await node.close()
    expect(took).toBeLessThan(1000)
    expect(code).toBe(0)
  }
})

test('members find each other by heartbeat and stay linked without the relay', async () => {
  const [a, b] = [await network.join(), await network.join()]
  await GraphNetwork.inStep(a, b)
  for (const node of [a, b]) await node.ask({ do: 'heartbeat', gun: node.url })
  const linked = async (): Promise<boolean> => {
    const { stats } = await a.state()
    return stats.links.some(({ member }) => member === b.id)
  }
  await until(linked, { within: 20_000, what: 'a links to b' })
  await network.owner.kill()
  await a.ask({ do: 'publish', from: 0, count: 10, salt: 'a', parallel: 1 })
  await manifests(10, 10_000, b)
})
