import { describe, expect, it } from 'vitest'
import { Announce, Answer, happened, Swarms } from '../swarm/index.ts'
import { announceText, failureText, parseHttpAnnounce, parseHttpScrape, scrapeText } from './http.ts'

// BEP 3: the escapes of the specification's time, raw bytes and lower case all mean the same.
const hash = '%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A'
const words = Int32Array.of(0x12345678, 0x9abcdef1, 0x23456789, 0xabcdef12 | 0, 0x3456789a)
const plain = `info_hash=${hash}&peer_id=-TR3000-000000000001&port=6881`

const parse = (search: string) => {
  const word = new Announce()
  parseHttpAnnounce(search, word)
  return word
}

describe('parseHttpAnnounce', () => {
  it('reads what BEP 3, BEP 21 and BEP 23 name, and believes no claimed address', () => {
    const word = parse(
      `${plain}&uploaded=1&downloaded=2&left=3&event=started&numwant=20&compact=0&ip=6.6.6.6&ipv4=6.6.6.6&ipv6=::6&key=1&trackerid=x`,
    )
    expect(word).toMatchObject({ port: 6881, left: 3, event: happened.started, wanted: 20 })
    expect(word.infoHash).toEqual(words)
    expect([...word.address]).toEqual([0, 0, 0, 0])
  })

  it.each([
    ['', { left: Number.NaN, event: happened.update, wanted: 50 }],
    ['&event=', { event: happened.update }],
    ['&event=empty', { event: happened.update }],
    ['&event=paused', { event: happened.paused }],
    ['&event=completed&left=0', { event: happened.completed, left: 0 }],
    ['&event=stopped', { event: happened.stopped }],
    ['&left=-1', { left: Number.NaN }],
    ['&left=9007199254740991', { left: 9_007_199_254_740_991 }],
    ['&left=99999999999999999', { left: Number.NaN }],
    ['&numwant=100000', { wanted: 200 }],
    ['&numwant=-1', { wanted: 50 }],
    ['&numwant=0', { wanted: 0 }],
    ['&&=&x&y==', { port: 6881 }],
  ])('reads "%s"', (more, expected) => {
    expect(parse(plain + more)).toMatchObject(expected)
  })

  it('takes any spelling of the same bytes', () => {
    const lower = hash.toLowerCase().replace('vx', 'Vx').replace('eg', 'Eg').replaceAll('vx', 'Vx')
    for (const one of [lower, '%12%34%56%78%9a%bc%de%f1%23%45%67%89%ab%cd%ef%12%34%56%78%9a'])
      expect(parse(plain.replace(hash, one)).infoHash).toEqual(words)
    expect(parse(plain.replace(hash, '+'.repeat(20))).infoHash[0]).toBe(0x20202020)
  })

  it.each([
    ['nothing', ''],
    ['no info_hash', plain.replace('info_hash', 'infohash')],
    ['two of them', `${plain}&info_hash=${hash}`],
    ['19 bytes', plain.replace('%9A&', '&')],
    ['21 bytes', plain.replace('%9A&', '%9AA&')],
    ['half an escape', plain.replace('%9A&', '%9&')],
    ['an escape of no hex', plain.replace('%9A&', '%G0&')],
    ['a character beyond bytes', plain.replace('%9A&', '\u{100}&')],
    ['no peer_id', plain.replace('peer_id', 'peer')],
    ['a short peer_id', plain.replace('-TR', '')],
    ['no port', plain.replace('port=6881', '')],
    ['port 0', plain.replace('6881', '0')],
    ['port 65536', plain.replace('6881', '65536')],
    ['a port that is no number', plain.replace('6881', '6881x')],
    ['an event of its own', `${plain}&event=constructor`],
    ['without end', `${plain}${'&x=1'.repeat(200)}`],
  ])('refuses %s', (_what, search) => {
    expect(() => parse(search)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })
})

it('says that a scrape needs an info_hash', () => {
  for (const search of ['', 'x=1']) expect(() => parseHttpScrape(search)).toThrow('at least one info_hash')
})

describe('answers', () => {
  const swarms = new Swarms({
    limits: { swarms: 10, peersPerSwarm: 10, peers: 100 },
    ttl: { address: 100, socket: 100 },
    now: () => 0,
    random: () => 0.5,
    secret: () => 0.5,
  })
  const answer = new Answer()
  const announce = (kind: 0 | 1, address: number[], port: number) => {
    const word = parse(plain)
    word.kind = kind
    word.address.set(address)
    word.port = port
    swarms.announce(word, answer)
    return announceText(word, answer, swarms, { interval: 600, minInterval: 30 }, 'ab')
  }
  const rest = '10:tracker id2:abe'
  const head = (own: string, count: number) =>
    `d8:completei0e11:external ip${own}10:incompletei${count}e8:intervali600e12:min intervali30e`

  it('are bencoded with their keys in order, peers in 6 bytes (BEP 23) and in 18 (BEP 7), the own address (BEP 24)', () => {
    const [first, second] = ['4:\u{1}\u{2}\u{3}\u{4}', '4:\u{5}\u{6}\u{7}\u{8}']
    expect(announce(0, [0x01020304], 0x4142)).toBe(`${head(first, 1)}5:peers0:${rest}`)
    expect(announce(0, [0x05060708], 80)).toBe(`${head(second, 2)}5:peers6:\u{1}\u{2}\u{3}\u{4}AB${rest}`)
    const bytes = `\u{20}\u{1}\u{d}\u{b8}${'\u{0}'.repeat(8)}abcd`
    const ipv6 = announce(1, [0x20010db8, 0, 0, 0x61626364], 0x4344)
    expect(ipv6.startsWith(`${head(`16:${bytes}`, 3)}5:peers12:`)).toBe(true)
    expect(ipv6).not.toContain('peers6')
    expect(announce(0, [0x01020304], 0x4142)).toContain(`6:peers618:${bytes}CD${rest}`)
  })

  it('to a scrape (BEP 48) name each torrent once, in order of their bytes', () => {
    const other = '%00'.repeat(20)
    const asked = parseHttpScrape(`info_hash=${hash}&info_hash=${other}&info_hash=${hash}`)
    const none = 'd8:completei0e10:downloadedi0e11:downloadersi0e10:incompletei0ee'
    const some = 'd8:completei0e10:downloadedi0e11:downloadersi3e10:incompletei3ee'
    const name = Buffer.from('123456789abcdef123456789abcdef123456789a', 'hex').toString('latin1')
    expect(scrapeText(asked, (infoHash, counts) => swarms.counts(infoHash, counts))).toBe(
      `d5:filesd20:${'\u{0}'.repeat(20)}${none}20:${name}${some}ee`,
    )
    expect(() => parseHttpScrape('')).toThrow(/info_hash/)
    expect(() => parseHttpScrape(`info_hash=${hash}&`.repeat(75))).toThrow(/at most 74/)
    expect(failureText('no')).toBe('d14:failure reason2:noe')
  })
})
