import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Egress } from '../../egress/index.ts'
import { inOrder, sourcesOf } from './sources.ts'

const holder = (http: string, bittorrent?: string) => ({ http, ...(bittorrent === undefined ? {} : { bittorrent }) })

const peersOf = (count: number, suspected: (i: number) => boolean = () => false) =>
  Array.from({ length: count }, (_, i) => ({
    id: `${i}`,
    lastSeen: 0,
    suspected: suspected(i),
    heartbeat: {
      endpoints: holder(`http://127.0.0.1:${i + 1}`),
      zone: '',
      operator: '',
      state: 'active' as const,
      capacity: { bytes: 0, used: 0, free: 0 },
      load: { up: 0, down: 0, connections: 0 },
      counts: { items: 0, awake: 0, queue: 0 },
      version: '0',
    },
  }))

test('members that missed heartbeats are asked last, the others in any order', () => {
  const peers = peersOf(20, (i) => i < 10)
  const firsts = new Set<string>()
  for (let i = 0; i < 200; i++) {
    const ids = inOrder(peers, () => undefined, Math.random).map(({ id }) => Number(id))
    expect(Math.min(...ids.slice(0, 10))).toBe(10)
    firsts.add(String(ids[0]))
  }
  expect(firsts.size).toBeGreaterThan(5)
})

test('the nearest are asked first, those about as near at random, and those never asked before all', () => {
  const times = new Map([
    ['0', 900],
    ['1', 90],
    ['2', 3],
    ['3', 1],
  ])
  const orders = new Set<string>()
  for (let i = 0; i < 100; i++) {
    const ids = inOrder(peersOf(5), (id) => times.get(id), Math.random).map(({ id }) => id)
    expect(ids[0]).toBe('4')
    expect(ids.slice(3)).toEqual(['1', '0'])
    orders.add(ids.join(''))
  }
  expect([...orders].toSorted()).toEqual(['42310', '43210'])
})

describe('on the open network', () => {
  let egress: Egress

  beforeEach(() => {
    egress = new Egress({ allowPrivate: false, allowedOrigins: [] })
  })

  afterEach(() => egress.close())

  test('public addresses are sources', () => {
    const sources = sourcesOf([holder('https://203.0.114.5:8765/', '203.0.114.5:6881')], egress)
    expect(sources).toEqual({ peers: ['203.0.114.5:6881'], holders: ['https://203.0.114.5:8765'] })
  })

  test.each([
    ['http://127.0.0.1:8765', '127.0.0.1:6881'],
    ['http://localhost:8765', 'localhost:6881'],
    ['http://[::1]:8765', '[::1]:6881'],
    ['http://169.254.169.254', '169.254.169.254:80'],
    ['http://10.1.2.3', '10.1.2.3:22'],
    ['http://user:secret@203.0.114.5', '203.0.114.5'],
    ['ftp://203.0.114.5', '203.0.114.5:99999'],
    ['not a url', 'a b:1'],
    ['http://[::ffff:10.0.0.1]', '203.0.114.5:0'],
  ])('%s and %s are not', (http, bittorrent) => {
    expect(sourcesOf([holder(http, bittorrent)], egress)).toEqual({ peers: [], holders: [] })
  })
})

describe('on a private network', () => {
  let egress: Egress

  beforeEach(() => {
    egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  })

  afterEach(() => egress.close())

  test('loopback counts, doubles do not, and a node without a peer port is a web seed only', () => {
    const sources = sourcesOf(
      [
        holder('http://127.0.0.1:1/base/', '127.0.0.1:2'),
        holder('http://127.0.0.1:1/base', '127.0.0.1:2'),
        holder('http://[::1]:3', '[::1]:4'),
        holder('http://127.0.0.1:5'),
      ],
      egress,
    )
    expect(sources).toEqual({
      peers: ['127.0.0.1:2', '[::1]:4'],
      holders: ['http://127.0.0.1:1/base', 'http://[::1]:3', 'http://127.0.0.1:5'],
    })
  })

  test('no more than a dozen holders are asked', () => {
    const many = Array.from({ length: 50 }, (_, i) => holder(`http://127.0.0.1:${i + 1}`))
    expect(sourcesOf(many, egress).holders.length).toBe(12)
  })
})
