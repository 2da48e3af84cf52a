import Server from 'bittorrent-tracker/server'
import { describe, expect, test } from 'vitest'
import { Announce, Answer, happened, kinds, Swarms } from '../../apps/tracker/src/swarm/index.ts'

/**
 * The stock package's swarm beside ours under the same announces. They differ on purpose:
 * 1. A peer is not told of itself (the stock package leaves itself out for WebSocket peers only).
 * 2. Who has everything, or is paused (BEP 21), is told only of those who fetch: it has no use for the others. Except as
 *    it starts, for some clients begin with a magnet and say that nothing is left.
 * 3. Who stops is told of nobody: it has no use for anybody.
 * 4. A peer that misses something again (files were added to what it wants) counts as incomplete; there it stays complete.
 * 5. `completed` makes a peer complete whatever it says is left, as an unknown peer too; there an unknown one counts by `left`.
 * 6. Peers of IPv4 and IPv6 are kept apart and each told in its own form; there IPv6 peers over UDP are told to nobody.
 */
const sequences = 100_000

let state = 6
const pick = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return Math.floor(((state >>> 8) / 2 ** 24) * below)
}

interface Peer {
  name: string
  isSocket: boolean
  host: number
  left: number
}

const names = ['update', 'started', 'stopped', 'completed', 'paused'] as const
const word = new Announce()
const answer = new Answer()
const bytes = Buffer.alloc(18)

/** All sequences go to one tracker, each to a torrent of its own. */
const swarms = new Swarms({
  limits: { swarms: sequences + 10, peersPerSwarm: 50, peers: 10 * sequences },
  ttl: { address: 1000, socket: 1000 },
  now: () => 0,
  random: Math.random,
  secret: () => 0.5,
})

class Pair {
  readonly #torrent: number
  readonly #stock = new Server.Swarm('00', { peersCacheLength: 1000, peersCacheTtl: 1e9 })
  /** Who our own bookkeeping says is complete, for differences 1 to 3. */
  readonly members = new Map<string, { peer: Peer; gives: boolean }>()

  constructor(torrent: number) {
    this.#torrent = torrent
  }

  /** @returns what both said, ours first; peers by name, sorted */
  say(peer: Peer, event: (typeof names)[number], left: number) {
    word.infoHash[2] = this.#torrent
    word.kind = peer.isSocket ? kinds.socket : kinds.ipv4
    word.address[0] = peer.isSocket ? peer.host : 0x0a00_0000 + peer.host
    word.port = peer.isSocket ? 0 : 7000
    word.event = happened[event]
    word.left = left
    word.wanted = 50
    swarms.announce(word, answer)
    const ours = {
      complete: answer.complete,
      incomplete: answer.incomplete,
      peers: [...answer.peers.subarray(0, answer.count)].map((one) => this.#nameOf(one, peer.isSocket)).toSorted(),
    }
    let stock = { complete: 0, incomplete: 0, peers: [] as string[] }
    const address = { ip: `10.0.0.${peer.host}`, port: 7000, addr: peer.name }
    const socket = peer.isSocket ? { socket: { infoHashes: ['00'] } } : {}
    this.#stock.announce(
      { type: peer.isSocket ? 'ws' : 'http', event, left, numwant: 50, peer_id: peer.name, ...address, ...socket },
      (_error, { complete, incomplete, peers }) => {
        stock = { complete, incomplete, peers: peers.map(({ peerId }) => peerId).toSorted() }
      },
    )
    return { ours, stock }
  }

  #nameOf(peer: number, isSocket: boolean): string {
    if (isSocket) return `s${swarms.clientOf(peer)}`
    swarms.writePeer(peer, bytes, 0)
    return `a${bytes[3]}`
  }
}

const crowd = (): Peer[] =>
  Array.from({ length: 6 }, (_, host) => ({
    name: `${host % 2 === 0 ? 's' : 'a'}${host}`,
    isSocket: host % 2 === 0,
    host,
    left: 1 + pick(2),
  }))

test(`${sequences} random sequences of announces are answered as by the stock package`, () => {
  let announces = 0
  const differences: object[] = []
  for (let sequence = 0; sequence < sequences; sequence++) {
    const pair = new Pair(sequence)
    const peers = crowd()
    const steps = 2 + pick(9)
    for (let step = 0; step < steps; step++) {
      const peer = peers[pick(peers.length)] as Peer
      const isKnown = pair.members.has(peer.name)
      let event = names[pick(names.length)] ?? 'update'
      // Differences 4 and 5 have tests of their own.
      if (event === 'completed' && !isKnown) event = 'started'
      peer.left = event === 'completed' ? 0 : Math.max(0, peer.left - pick(2))
      const { ours, stock } = pair.say(peer, event, peer.left)
      announces++
      if (event === 'stopped') pair.members.delete(peer.name)
      else pair.members.set(peer.name, { peer, gives: peer.left === 0 || event === 'paused' })
      const gives = event !== 'started' && pair.members.get(peer.name)?.gives === true
      const told = stock.peers.filter(
        (name) => event !== 'stopped' && name !== peer.name && !(gives && pair.members.get(name)?.gives === true),
      )
      const expected = { ...stock, peers: told }
      if (JSON.stringify(ours) !== JSON.stringify(expected)) differences.push({ sequence, step, ours, expected })
    }
  }
  expect(differences.slice(0, 3)).toEqual([])
  expect(announces).toBeGreaterThan(sequences)
})

/** What both told the last of some peers, each of which said one thing. */
const told = (torrent: number, ...said: [Peer, (typeof names)[number], number][]) => {
  const pair = new Pair(sequences + torrent)
  let last: ReturnType<Pair['say']> | undefined
  for (const [peer, event, left] of said) last = pair.say(peer, event, left)
  return { ours: last?.ours.peers, stock: last?.stock.peers }
}

describe('each difference', () => {
  const one: Peer = { name: 'a1', isSocket: false, host: 1, left: 0 }
  const two: Peer = { name: 'a3', isSocket: false, host: 3, left: 0 }

  test('1: a peer is not told of itself, which it cannot use', () => {
    expect(told(1, [one, 'started', 5], [one, 'update', 5])).toEqual({ ours: [], stock: ['a1'] })
  })

  test('2: who has everything is told of nobody who has it too, to whom it would connect in vain', () => {
    expect(told(2, [one, 'started', 0], [two, 'update', 0])).toEqual({ ours: [], stock: ['a1', 'a3'] })
    expect(told(3, [one, 'started', 0], [two, 'started', 0])).toEqual({ ours: ['a1'], stock: ['a1', 'a3'] })
  })

  test('3: who stops is told of nobody, since it goes', () => {
    expect(told(4, [one, 'started', 0], [two, 'started', 5], [two, 'stopped', 5])).toEqual({ ours: [], stock: ['a1'] })
  })

  test('4: who misses something again is incomplete', () => {
    const pair = new Pair(sequences + 5)
    pair.say(one, 'started', 0)
    const { ours, stock } = pair.say(one, 'update', 5)
    expect([ours.complete, ours.incomplete, stock.complete, stock.incomplete]).toEqual([0, 1, 1, 0])
  })

  test('5: who says it is complete is', () => {
    const { ours, stock } = new Pair(sequences + 6).say(one, 'completed', 5)
    expect([ours.complete, stock.complete]).toEqual([1, 0])
  })

  test('6: IPv4 and IPv6 peers are the same peers twice, each told in its own form', () => {
    word.infoHash[2] = sequences + 7
    word.event = happened.started
    word.left = 5
    word.wanted = 50
    for (const kind of [kinds.ipv4, kinds.ipv6, kinds.ipv6]) {
      word.kind = kind
      word.port++
      swarms.announce(word, answer)
    }
    expect([answer.incomplete, answer.count, answer.otherCount]).toEqual([3, 1, 1])
    expect([...answer.peers.subarray(0, 1)].map((peer) => swarms.writePeer(peer, bytes, 0))).toEqual([18])
    expect([...answer.others.subarray(0, 1)].map((peer) => swarms.writePeer(peer, bytes, 0))).toEqual([6])
  })
})
