import { describe, expect, it } from 'vitest'
import { connectAnswer, forEngine, parseUdp, protocolId } from './udp.ts'

const packet = (action: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length, 7)
  bytes.writeUInt32BE(action, 8)
  bytes.writeUInt32BE(0xcafe, 12)
  return bytes
}

const announce = (): Buffer => {
  const bytes = packet(1, 98)
  bytes.writeUInt32BE(2, 80)
  return bytes
}

describe('parseUdp', () => {
  it('reads a connect and answers it', () => {
    const { action, transactionId } = parseUdp(packet(0, 16))
    expect({ action, transactionId }).toEqual({ action: 'connect', transactionId: 0xcafe })
    expect(connectAnswer(transactionId, Buffer.from('0123456789abcdef', 'hex')).toString('hex')).toBe(
      '000000000000cafe0123456789abcdef',
    )
  })

  it("erases a claimed ip, caps the wish for peers and drops extensions, leaving the sender's bytes alone", () => {
    const message = Buffer.concat([announce(), Buffer.alloc(500, 9)])
    message.writeUInt32BE(0x0a010203, 84)
    message.writeUInt32BE(1000, 92)
    const before = Buffer.from(message)
    const request = parseUdp(message)
    const inner = forEngine(request)
    expect(inner.length).toBe(98)
    expect(inner.subarray(0, 8)).toEqual(protocolId)
    expect(inner.readUInt32BE(84)).toBe(0)
    expect(inner.readUInt32BE(92)).toBe(82)
    expect(inner.subarray(16, 84)).toEqual(before.subarray(16, 84))
    expect(message).toEqual(before)
  })

  it('reads a scrape of 74 torrents', () => {
    expect(parseUdp(packet(2, 16 + 20 * 74)).action).toBe('scrape')
  })

  it.each([
    ['an empty packet', Buffer.alloc(0)],
    ['15 bytes', packet(0, 16).subarray(0, 15)],
    ['a short announce', announce().subarray(0, 97)],
    ['an unknown event', packet(1, 98)],
    ['an unknown action', packet(3, 98)],
    ['a scrape of nothing', packet(2, 16)],
    ['half a torrent', packet(2, 26)],
    ['75 torrents', packet(2, 16 + 20 * 75)],
  ])('refuses %s', (_what, message) => {
    expect(() => parseUdp(message)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })
})
