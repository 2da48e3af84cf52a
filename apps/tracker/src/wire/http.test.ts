import { describe, expect, it } from 'vitest'
import { announceUrl, parseHttpAnnounce, parseHttpScrape, scrapeAnswer } from './http.ts'

const hash = '%00%01%02%03%FF%FE%80abcdefghij%26%3D%25'
const hex = '00010203fffe806162636465666768696a263d25'
const good = `info_hash=${hash}&peer_id=-XX0001-abcdefghijkl&port=6881&left=0&event=started&numwant=50`

describe('parseHttpAnnounce', () => {
  it('reads bytes that are no UTF-8, and gives the engine the same', () => {
    const announce = parseHttpAnnounce(good)
    expect(announce).toEqual({
      infoHash: hex,
      peerId: Buffer.from('-XX0001-abcdefghijkl').toString('hex'),
      event: 'started',
      left: 0,
      port: 6881,
      numwant: 50,
    })
    expect(parseHttpAnnounce(announceUrl(announce).split('?')[1] ?? '')).toEqual(announce)
  })

  it('takes an absent event as an update, an absent size as unknown, and caps the wish for peers', () => {
    const { event, left, numwant } = parseHttpAnnounce(
      good.replace('&left=0&event=started', '&event=empty').replace('50', '4000'),
    )
    expect({ event, left, numwant }).toEqual({ event: 'update', left: undefined, numwant: 82 })
  })

  it('never reads a claimed ip', () => {
    expect(announceUrl(parseHttpAnnounce(`${good}&ip=10.1.2.3&ipv4=10.1.2.3`))).not.toContain('10.1')
  })

  it.each([
    ['no info_hash', good.replace('info_hash', 'infohash')],
    ['two info_hash values', `${good}&info_hash=${hash}`],
    ['19 bytes', good.replace('%00%01', '%00')],
    ['a character that is no byte', good.replace('%00%01', '\u{101}\u{102}')],
    ['no peer_id', good.replace('peer_id', 'id')],
    ['port 0', good.replace('6881', '0')],
    ['port 65536', good.replace('6881', '65536')],
    ['half a port', good.replace('6881', '68.5')],
    ['an unknown event', good.replace('started', 'constructor')],
    ['nothing', ''],
  ])('refuses %s', (_what, search) => {
    expect(() => parseHttpAnnounce(search)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })
})

describe('parseHttpScrape', () => {
  it('reads one and several torrents', () => {
    expect(parseHttpScrape(`info_hash=${hash}`)).toEqual({ infoHashes: [hex] })
    expect(parseHttpScrape(`info_hash=${hash}&info_hash=${hash}`)).toEqual({ infoHashes: [hex, hex] })
  })

  it('refuses to list every torrent, and too many at once', () => {
    expect(() => parseHttpScrape('')).toThrow(/info_hash/)
    expect(() => parseHttpScrape(`info_hash=${hash}&`.repeat(75))).toThrow(/at most 74/)
  })
})

describe('scrapeAnswer', () => {
  it('names torrents by their 20 bytes, sorted and once', () => {
    const answer = scrapeAnswer(['ff'.repeat(20), '00'.repeat(20), 'ff'.repeat(20)], (infoHash) => ({
      complete: infoHash.startsWith('ff') ? 2 : 0,
      incomplete: 1,
    }))
    expect(answer.toString('latin1')).toBe(
      `d5:filesd20:${'\0'.repeat(20)}d8:completei0e10:downloadedi0e10:incompletei1ee` +
        `20:${'\u{ff}'.repeat(20)}d8:completei2e10:downloadedi2e10:incompletei1eeee`,
    )
  })
})
