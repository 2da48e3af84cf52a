import { InvalidInputError } from '@eldernode/core'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Caller, Speaker } from '../signalling/index.ts'
import { type Counts, kinds } from '../swarm/index.ts'
import type { NearSocket } from '../transport/index.ts'
import { Bus } from './bus.ts'
import { says } from './frames.ts'
import type { Desk } from './serving-end.ts'

/** What one worker was told. */
class Told implements Desk {
  readonly packets: string[] = []
  readonly speakers = new Map<Speaker, string[]>()
  readonly left: Speaker[] = []
  count = 0

  packet(packet: Buffer, address: string, port: number): void {
    this.packets.push(`${packet.toString()} of ${address} ${port}`)
  }

  announce({ search, kind, address, key }: Parameters<Desk['announce']>[0]): string {
    return `${search} ${kind} ${address.join()} ${key}`
  }

  counts(infoHash: Int32Array, key: number, into: Counts): void {
    Object.assign(into, { complete: infoHash[4], incomplete: key, downloaded: this.count, downloaders: -1 })
  }

  say(speaker: Speaker, text: string): void {
    if (text === 'nonsense') throw new InvalidInputError('that is nonsense')
    this.speakers.set(speaker, [...(this.speakers.get(speaker) ?? []), text])
    speaker.send(`you said ${text}`)
  }

  leave(speaker: Speaker): void {
    this.left.push(speaker)
  }

  socket(): void {}

  async read(name: string): Promise<unknown> {
    await Promise.resolve()
    return name === 'count' ? { count: this.count } : undefined
  }
}

class Socket implements NearSocket {
  readonly from: Caller = { kind: kinds.ipv6, high: -1, low: 2, isMember: true, key: 9 }
  readonly heard: string[] = []

  send(text: string): void {
    this.heard.push(text)
  }

  refuse(reason: string): void {
    this.heard.push(`refused: ${reason}`)
  }
}

const folderOf = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-bus-'))
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }))
  return folder
}

const busOf = (folder: string, own: number, workers: number): Bus => {
  const bus = new Bus({ own, workers, folder, give: () => true, onError: () => {} })
  onTestFinished(async () => await bus.stop())
  return bus
}

const cluster = async (workers: number): Promise<{ buses: Bus[]; desks: Told[]; folder: string }> => {
  const folder = await folderOf()
  const desks = Array.from({ length: workers }, () => new Told())
  const buses = desks.map((_, own) => busOf(folder, own, workers))
  await Promise.all(buses.map(async (bus, own) => await bus.listen(desks[own] as Told)))
  await Promise.all(buses.map(async (bus) => await bus.join()))
  return { buses, desks, folder }
}

const asked = { search: 'info_hash=x', kind: kinds.ipv4, address: Int32Array.of(-2, 0, 0, 1), key: -7 }

const answered = (bus: Bus, shard: number): Promise<string> => new Promise((done) => bus.ask(shard, asked, done))

const countsOf = (bus: Bus, infoHashes: Int32Array[], key: number): Promise<Counts[]> =>
  new Promise((done) => {
    bus.counts(infoHashes, key, (read) => {
      const all = infoHashes.map((infoHash) => {
        const into: Counts = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 }
        read(infoHash, into)
        return into
      })
      done(all)
    })
  })

test('announces and packets go to who is meant, answers to who asked', async () => {
  const { buses, desks } = await cluster(3)
  const [first, second] = buses as [Bus, Bus]
  const expected = 'info_hash=x 0 -2,0,0,1 -7'
  expect(await Promise.all([answered(first, 1), answered(first, 2), answered(second, 0)])).toEqual(
    Array(3).fill(expected),
  )
  first.pass(2, Buffer.from('a packet'), { address: '2001:db8::1', port: 65_535 })
  await vi.waitFor(() => expect(desks[2]?.packets).toEqual(['a packet of 2001:db8::1 65535']))
  expect(desks[1]?.packets).toEqual([])
})

test('counts are gathered from all who keep the torrents', async () => {
  const { buses, desks } = await cluster(3)
  desks.forEach((desk, own) => (desk.count = own))
  const hashes = [0, 1, 2, -1, 5].map((word, i) => Int32Array.of(word, 0, 0, 0, i))
  const counts = await countsOf(buses[1] as Bus, hashes, 4)
  expect(counts).toEqual(
    [0, 1, 2, 0xffff_ffff % 3, 2].map((downloaded, complete) => ({
      complete,
      incomplete: 4,
      downloaded,
      downloaders: -1,
    })),
  )
  expect(await buses[0]?.readAll('count')).toEqual([{ count: 0 }, { count: 1 }, { count: 2 }])
  expect(await buses[0]?.readAll('nothing')).toEqual([])
})

test('a socket speaks at another worker, is answered and refused there, and leaves', async () => {
  const { buses, desks } = await cluster(2)
  const [near] = buses as [Bus]
  const far = desks[1] as Told
  const [one, other, silent] = [new Socket(), new Socket(), new Socket()]
  near.say(1, one, 'h\u00e9llo')
  near.say(1, other, 'nonsense')
  near.say(1, one, 'more')
  await vi.waitFor(() => expect(one.heard).toEqual(['you said h\u00e9llo', 'you said more']))
  expect(other.heard).toEqual(['refused: that is nonsense'])
  expect([...far.speakers].map(([{ from }, texts]) => [from, texts])).toEqual([[one.from, ['h\u00e9llo', 'more']]])
  near.gone(silent)
  near.gone(one)
  await vi.waitFor(() => expect(far.left).toEqual([...far.speakers.keys()]))
})

test('the speakers of a worker that dies leave; who asks it is told that it is away, until it is back', async () => {
  const { buses, desks, folder } = await cluster(2)
  const [first, second] = buses as [Bus, Bus]
  const socket = new Socket()
  second.say(0, socket, 'hello')
  await vi.waitFor(() => expect(desks[0]?.speakers.size).toBe(1))
  await second.stop()
  await vi.waitFor(() => expect(desks[0]?.left).toHaveLength(1))
  expect(await answered(first, 1)).toMatch(/^d14:failure reason46:.{46}e$/)
  expect(await countsOf(first, [Int32Array.of(1, 0, 0, 0, 5)], 4)).toEqual([
    { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 },
  ])
  first.say(1, socket, 'hello')
  expect(socket.heard.at(-1)).toContain('failure reason')
  expect(first.give(1, new PassThrough(), Buffer.alloc(0), upgrade)).toBe(false)
  const again = busOf(folder, 1, 2)
  await again.listen(new Told())
  await vi.waitFor(async () => expect(await answered(first, 1)).not.toContain('failure'), 5000)
  first.say(1, socket, 'hello again')
  await vi.waitFor(() => expect(socket.heard.at(-1)).toBe('you said hello again'))
})

const upgrade = { webSocketKey: 'key', path: '/announce/1', kind: kinds.ipv4, address: [1, 0, 0, 0], isMember: true }

test.for([
  ['no frame', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['an answer that nobody asked for', Buffer.from([0, 0, 0, 5, says.answer, 0, 0, 0, 1])],
  ['a message of nobody', Buffer.from([0, 0, 0, 5, says.say, 0, 0, 0, 1])],
  ['an address that is not whole', Buffer.from([0, 0, 0, 6, says.open, 0, 0, 0, 1, 1])],
  ['a packet without its end', Buffer.from([0, 0, 0, 9, says.packet, 0, 0, 0, 1, 0, 0, 0, 9])],
  ['a query without an address', Buffer.from([0, 0, 0, 5, says.ask, 0, 0, 0, 1])],
  ['half an infohash', Buffer.from([0, 0, 0, 10, says.count, 0, 0, 0, 1, 0, 0, 0, 0, 1])],
] as const)('%s ends the connection of who sent it, and no other', async ([, bytes]) => {
  const { buses, folder } = await cluster(2)
  const intruder = connect(join(folder, '0')).on('error', () => {})
  onTestFinished(() => void intruder.destroy())
  intruder.write(bytes)
  intruder.resume()
  await once(intruder, 'close')
  expect(await answered(buses[1] as Bus, 0)).toContain('info_hash')
})
