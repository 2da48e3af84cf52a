import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, until } from '../harness/index.ts'

interface Told {
  type: string
  data: { event: number; infoHash?: string; copies?: number }
}

let network: Network
const stop = new AbortController()
const told: Told[] = []

beforeAll(async () => {
  network = await Network.start({ seeders: 2, tracker: false })
  void listen()
})

afterAll(async () => {
  stop.abort()
  await network.close()
})

/** Keeps what the first node tells, over its restarts. */
async function listen(): Promise<void> {
  while (!stop.signal.aborted) {
    const last = told.at(-1)?.data.event ?? 0
    try {
      const response = await fetch(`${network.first.url}/v1/events`, {
        headers: { authorization: `Bearer ${network.first.token}`, 'last-event-id': String(last) },
        signal: stop.signal,
      })
      let text = ''
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1]
          if (data !== undefined) told.push(JSON.parse(data) as Told)
        }
      }
    } catch {
      // It listens again.
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const typesOf = (id: string) => told.filter(({ data }) => data.infoHash === id).map(({ type }) => type)
const heard = (id: string, type: string) =>
  until(() => typesOf(id).includes(type), { within: 60_000, what: `${type} is told` })

test('an item gets its copy, loses it and is retracted: each is told once, over a kill', async () => {
  network.reportFailure()
  const { id } = await network.first.publish('copied.bin', seededBytes(5, 100_000), 2)
  await heard(id, 'replicated')
  await network.first.kill()
  await network.first.start()
  await network.first.ready()
  const dropped = await network.at(1).admin('DELETE', `/v1/media/${id}?local=1`)
  expect(dropped.status).toBe(200)
  await heard(id, 'degraded')
  await network.first.retract(id)
  await heard(id, 'retracted')
  expect(typesOf(id)).toEqual(['published', 'replicated', 'degraded', 'retracted'])
  const numbers = told.map(({ data }) => data.event)
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
  expect(told.find(({ type }) => type === 'degraded')?.data.copies).toBe(1)
})
