import { expect, onTestFinished, test, vi } from 'vitest'
import { WebIdentity, WebVerifier } from '../identity/index.ts'
import { heartbeatOf } from '../testing/bodies.ts'
import { socketPair } from '../testing/socket-pair.ts'
import { createGraph } from './graph.ts'
import { MemoryGraphStore } from './memory-store.ts'
import type { Dial, Graph } from './port.ts'

const hour = 3_600_000
const ahead = hour / 6
const within = { timeout: 20_000, interval: 10 }

test('nodes whose clocks lie too far apart hear so of each other, though no heartbeat is taken', async () => {
  const [owner, late] = await Promise.all([WebIdentity.generate(), WebIdentity.generate()])
  const begin = async (identity: WebIdentity, peers: string[], now: () => number, dial: Dial): Promise<Graph> => {
    const graph = createGraph({
      network: { owner: owner.id },
      identity,
      ...(identity === owner && { owner }),
      verifier: new WebVerifier(),
      store: new MemoryGraphStore(),
      dial,
      peers,
      now,
      onFault: (error) => expect.unreachable(String(error)),
    })
    onTestFinished(() => graph.close())
    await graph.start()
    return graph
  }
  const one = await begin(owner, [], Date.now, () => Promise.reject(new Error('it dials nobody')))
  const issuedAt = Date.now()
  for (const { id } of [owner, late]) {
    const certificate = { member: id, roles: ['seeder' as const], operator: '', issuedAt, expiresAt: issuedAt + hour }
    await one.publish('p', id, certificate)
  }
  const dial: Dial = async () => {
    const [here, there] = socketPair()
    one.accept(there)
    return here
  }
  const other = await begin(late, ['ws://one/gun'], () => Date.now() + ahead, dial)
  await vi.waitFor(() => expect(other.admits(late.id)).toBe(true), within)
  const told = new Map<string, number>()
  const stop = one.watchOutOfTime((pub, ts) => told.set(pub, Math.sign(ts - Date.now())))
  other.watchOutOfTime((pub, ts) => told.set(pub, Math.sign(ts - Date.now() - ahead)))
  await other.publish('hb', '', heartbeatOf())
  await one.publish('hb', '', heartbeatOf())
  const both = [[late.id, 1] as const, [owner.id, -1] as const]
  await vi.waitFor(() => expect(told).toEqual(new Map(both)), within)
  stop()
  expect([one.get('hb', late.id, ''), other.get('hb', owner.id, '')]).toEqual([undefined, undefined])
})
