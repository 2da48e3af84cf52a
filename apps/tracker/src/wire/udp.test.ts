import { describe, expect, it } from 'vitest'
import { Announce, Answer, happened, kinds, Swarms } from '../swarm/index.ts'
import { parseUdp, UdpRequest, writeAnnounce, writeConnect, writeError, writeScrape } from './udp.ts'

// The tables of BEP 15, field by field.
const connectPacket = Buffer.from('0000041727101980' + '00000000' + '0000cafe', 'hex')
const announcePacket = Buffer.from(
  '1122334455667788' + // connection_id
    '00000001' + // action
    '0000cafe' + // transaction_id
    '123456789abcdef0123456789abcdef012345678' + // info_hash
    '2d5452333030302d303030303030303030303031' + // peer_id
    '0000000000000001' + // downloaded
    '0000000100000002' + // left
    '0000000000000003' + // uploaded
    '00000002' + // event
    '06060606' + // IP address
    'deadbeef' + // key
    'ffffffff' + // num_want
    '1ae1', // port
  'hex',
)

const parse = (packet: Buffer) => {
  const request = new UdpRequest()
  const word = new Announce()
  word.address[0] = 0x7f000001
  parseUdp(packet, request, word)
  return { request, word }
}

const changed = (at: number, hex: string): Buffer => {
  const packet = Buffer.from(announcePacket)
  packet.write(hex, at, 'hex')
  return packet
}

describe('parseUdp', () => {
  it('reads a connect', () => {
    expect(parse(connectPacket).request).toMatchObject({ action: 0, transaction: 0xcafe })
  })

  it('reads an announce, and no claimed address', () => {
    const { request, word } = parse(announcePacket)
    expect(request).toMatchObject({ action: 1, high: 0x11223344, low: 0x55667788, transaction: 0xcafe, urlData: '' })
    expect(word).toMatchObject({ event: happened.started, left: 2 ** 32 + 2, wanted: 50, port: 6881 })
    expect([...word.infoHash].map((one) => one >>> 0)).toEqual([
      0x12345678, 0x9abcdef0, 0x12345678, 0x9abcdef0, 0x12345678,
    ])
    expect(word.address[0]).toBe(0x7f000001)
  })

  it.each([
    ['00000000', happened.update],
    ['00000001', happened.completed],
    ['00000002', happened.started],
    ['00000003', happened.stopped],
  ])('reads the event %s', (hex, event) => {
    expect(parse(changed(80, hex)).word.event).toBe(event)
  })

  it('caps the wish for peers by what a packet holds, and takes the largest number for an unknown size', () => {
    expect(parse(changed(92, '00000fff')).word.wanted).toBe(200)
    expect(parse(changed(92, '00000000')).word.wanted).toBe(0)
    expect(parse(changed(64, 'ffffffffffffffff')).word.left).toBeNaN()
    expect(parse(changed(64, '7fffffffffffffff')).word.left).toBeNaN()
    expect(parse(changed(64, '0000000000000000')).word.left).toBe(0)
    const ipv6 = new Announce()
    ipv6.kind = kinds.ipv6
    parseUdp(changed(92, '00000fff'), new UdpRequest(), ipv6)
    expect(ipv6.wanted).toBe(72)
  })

  // BEP 41: its own examples, then others.
  it.each([
    ['0209' + Buffer.from('/dir?a=b&').toString('hex') + '0203' + Buffer.from('c=d').toString('hex'), '/dir?a=b&c=d'],
    ['020c' + Buffer.from('/dir?a=b&c=d').toString('hex') + '00', '/dir?a=b&c=d'],
    ['01' + '0202' + '2f78' + '01' + '00' + '0202' + '2f79', '/x'],
    ['0200', ''],
    ['7f03' + 'aabbcc' + '0201' + '2f', '/'],
    ['00ff', ''],
  ])('reads the options %s', (options, expected) => {
    expect(parse(Buffer.concat([announcePacket, Buffer.from(options, 'hex')])).request.urlData).toBe(expected)
  })

  it('reads a scrape of 74 torrents', () => {
    const packet = Buffer.alloc(16 + 20 * 74)
    packet.writeUInt32BE(2, 8)
    expect(parse(packet).request).toMatchObject({ action: 2, scrapes: 74 })
  })

  const scrape = (length: number): Buffer => {
    const packet = Buffer.alloc(length)
    packet.writeUInt32BE(2, 8)
    return packet
  }
  it.each([
    ['an empty packet', Buffer.alloc(0)],
    ['15 bytes', connectPacket.subarray(0, 15)],
    ['a short announce', announcePacket.subarray(0, 97)],
    ['an unknown event', changed(80, '00000004')],
    ['a negative event', changed(80, 'ffffffff')],
    ['an unknown action', changed(8, '00000003')],
    ['a scrape of nothing', scrape(16)],
    ['half a torrent', scrape(26)],
    ['75 torrents', scrape(16 + 20 * 75)],
    ['an option beyond the end', Buffer.concat([announcePacket, Buffer.from('0209aa', 'hex')])],
    ['an option without its length', Buffer.concat([announcePacket, Buffer.from('02', 'hex')])],
  ])('refuses %s', (_what, packet) => {
    expect(() => parse(packet)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })
})

describe('answers', () => {
  const swarms = new Swarms({
    limits: { swarms: 10, peersPerSwarm: 100, peers: 100 },
    ttl: { address: 100, socket: 100 },
    now: () => 0,
    random: () => 0.5,
    secret: () => 0.5,
  })
  const out = Buffer.alloc(1472)
  const hex = (length: number): string => out.toString('hex', 0, length)

  it('to connect, announce, scrape and what is refused are laid out as in BEP 15', () => {
    expect(hex(writeConnect(out, 0xcafe, 0x11223344, 0x55667788))).toBe('000000000000cafe1122334455667788')
    const answer = new Answer()
    for (const port of [6881, 6882]) {
      const { word } = parse(announcePacket)
      word.port = port
      swarms.announce(word, answer)
    }
    expect(hex(writeAnnounce(out, 0xcafe, 600, answer, swarms))).toBe(
      '00000001' + '0000cafe' + '00000258' + '00000002' + '00000000' + '7f000001' + '1ae1',
    )
    const packet = Buffer.concat([Buffer.alloc(16), announcePacket.subarray(16, 36), Buffer.alloc(20)])
    packet.writeUInt32BE(2, 8)
    packet.writeUInt32BE(0xcafe, 12)
    const { request } = parse(packet)
    expect(hex(writeScrape(out, packet, request, (infoHash, counts) => swarms.counts(infoHash, counts)))).toBe(
      '00000002' + '0000cafe' + '00000000' + '00000000' + '00000002' + '00'.repeat(12),
    )
    expect(hex(writeError(out, 0xcafe, 'no'))).toBe('00000003' + '0000cafe' + '6e6f')
  })

  it('to an announce over IPv6 hold peers of 18 bytes, and none of IPv4', () => {
    const answer = new Answer()
    for (const [kind, address, port] of [
      [kinds.ipv4, [0x01020304], 1],
      [kinds.ipv6, [0x20010db8, 0, 0, 0x61626364], 0x4142],
      [kinds.ipv6, [0x20010db8, 0, 0, 1], 0x4344],
    ] as const) {
      const { word } = parse(changed(16, '99'.repeat(20)))
      word.kind = kind
      word.address.set(address)
      word.port = port
      swarms.announce(word, answer)
    }
    expect(hex(writeAnnounce(out, 0xcafe, 600, answer, swarms))).toBe(
      '00000001' +
        '0000cafe' +
        '00000258' +
        '00000003' +
        '00000000' +
        '20010db8' +
        '00'.repeat(8) +
        '61626364' +
        '4142',
    )
  })
})
