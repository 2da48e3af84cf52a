import { describe, expect, it } from 'vitest'
import { closes, FrameReader, type FrameReceiver, headLength, opcodes, writeHead } from './frames.ts'

const frame = (opcode: number, payload: string | Buffer): Buffer => {
  const bytes = Buffer.from(payload)
  const all = Buffer.alloc(headLength(bytes.length) + bytes.length)
  bytes.copy(all, writeHead(all, 0, opcode, bytes.length))
  return all
}

/** What a reader of messages of 1,000 bytes made of some chunks. */
const read = (...chunks: Buffer[]): { events: string[]; waiting: number } => {
  const events: string[] = []
  const receiver: FrameReceiver = {
    message: (bytes, from, to, isBinary) =>
      events.push(`${isBinary ? 'binary' : 'text'} ${bytes.toString('latin1', from, to)}`),
    ping: (bytes, from, to) => events.push(`ping ${bytes.toString('latin1', from, to)}`),
    pong: () => events.push('pong'),
    closed: () => events.push('closed'),
    failed: (code) => events.push(`failed ${code}`),
  }
  const reader = new FrameReader(1000)
  // What is read is changed.
  for (const chunk of chunks) reader.read(Buffer.from(chunk), receiver)
  return { events, waiting: reader.waiting }
}

const sent = (opcode: number, payload: string | Buffer, { isLast = true, mask = '37fa213d' } = {}): Buffer => {
  const bytes = Buffer.from(payload)
  const key = Buffer.from(mask, 'hex')
  const head = frame(opcode, bytes).subarray(0, headLength(bytes.length))
  if (!isLast) head[0] = opcode
  head[1] = (head[1] ?? 0) | 0x80
  return Buffer.concat([head, key, bytes.map((byte, i) => byte ^ (key[i % 4] ?? 0))])
}

describe('FrameReader', () => {
  it.each([
    // The examples of RFC 6455, section 5.7, that a client may send.
    ['818537fa213d7f9f4d5158', 'text Hello'],
    ['898537fa213d7f9f4d5158', 'ping Hello'],
    ['8a8537fa213d7f9f4d5158', 'pong'],
    ['88820000000003e8', 'closed'],
    ['828100000000ff', 'binary \u{ff}'],
    ['818000000000', 'text '],
  ])('reads %s', (hex, expected) => {
    expect(read(Buffer.from(hex, 'hex')).events).toEqual([expected])
  })

  it('joins fragments, with a ping between them', () => {
    const { events } = read(
      Buffer.concat([sent(1, 'Hel', { isLast: false }), sent(9, 'x'), sent(0, 'l', { isLast: false }), sent(0, 'o')]),
    )
    expect(events).toEqual(['ping x', 'text Hello'])
  })

  it('gives up on a message in pieces without end, empty ones too', () => {
    const pieces = (count: number) =>
      read(
        Buffer.concat([
          sent(1, 'x', { isLast: false }),
          ...Array<Buffer>(count).fill(sent(0, '', { isLast: false })),
          sent(0, 'y'),
        ]),
      ).events
    expect(pieces(62)).toEqual(['text xy'])
    expect(pieces(63)).toEqual(['failed 1008'])
    expect(pieces(100_000)).toEqual(['failed 1008'])
  })

  it('reads the same however the bytes are cut, and keeps none of them', () => {
    const long = 'é'.repeat(300)
    const all = Buffer.concat([sent(1, 'a'), sent(1, long), sent(9, ''), sent(1, 'é', { isLast: false }), sent(0, 'b')])
    const { events } = read(all)
    expect(events).toHaveLength(4)
    expect(Buffer.from(events[1] ?? '', 'latin1').toString()).toBe(`text ${long}`)
    for (let size = 1; size < 40; size++) {
      const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
        all.subarray(i * size, (i + 1) * size),
      )
      expect(read(...chunks)).toEqual({ events, waiting: 0 })
    }
  })

  it.each([
    ['an unmasked frame', Buffer.from('810548656c6c6f', 'hex'), closes.protocol],
    ['a reserved bit', Buffer.from('c18537fa213d7f9f4d5158', 'hex'), closes.protocol],
    ['an unknown opcode', sent(3, 'x'), closes.protocol],
    ['an unknown control opcode', sent(11, 'x'), closes.protocol],
    ['a ping in fragments', sent(9, 'x', { isLast: false }), closes.protocol],
    ['a long ping', sent(9, 'x'.repeat(126)), closes.protocol],
    ['a continuation of nothing', sent(0, 'x'), closes.protocol],
    ['a text within a text', Buffer.concat([sent(1, 'x', { isLast: false }), sent(1, 'y')]), closes.protocol],
    ['a text that is no UTF-8', sent(1, Buffer.from('ff', 'hex')), closes.notUtf8],
    [
      'fragments that are no UTF-8 together',
      Buffer.concat([sent(1, Buffer.from('c3', 'hex'), { isLast: false }), sent(0, 'x')]),
      closes.notUtf8,
    ],
    ['a message that is too long', sent(1, 'x'.repeat(1001)).subarray(0, 10), closes.tooBig],
    ['a length beyond all reason', Buffer.from('81ffffffffffffffffff', 'hex'), closes.tooBig],
    [
      'fragments that are too long together',
      Buffer.concat([sent(1, 'x'.repeat(900), { isLast: false }), sent(0, 'x'.repeat(101))]),
      closes.tooBig,
    ],
  ])('gives up at %s, and reads nothing more', (_what, bytes, code) => {
    expect(read(Buffer.concat([bytes, sent(1, 'more')]), sent(1, 'more'))).toMatchObject({
      events: [`failed ${code}`],
    })
  })

  it('reads no further while it is held, and goes on with the rest when that is given again', () => {
    const events: string[] = []
    const reader = new FrameReader(1000)
    const note = (text: string): void => {
      events.push(text)
      reader.isHeld = true
    }
    const receiver: FrameReceiver = {
      message: (bytes, from, to) => note(bytes.toString('latin1', from, to)),
      ping: () => note('ping'),
      pong: () => note('pong'),
      closed: () => note('closed'),
      failed: (code) => note(`failed ${code}`),
    }
    const pieces = [sent(1, 'one'), sent(1, 'tw', { isLast: false }), sent(9, ''), sent(0, 'o'), sent(1, 'three')]
    let rest = reader.read(Buffer.concat(pieces), receiver)
    for (const heard of [['one'], ['one', 'ping'], ['one', 'ping', 'two'], ['one', 'ping', 'two', 'three']]) {
      expect(events).toEqual(heard)
      if (rest === undefined) break
      expect(reader.read(rest, receiver)).toEqual(rest)
      reader.isHeld = false
      rest = reader.read(rest, receiver)
    }
    expect([events.length, rest, reader.waiting]).toEqual([4, undefined, 0])
  })

  it('takes masks off wherever a payload lies in memory', () => {
    for (let length = 0; length < 70; length++) {
      const text = 'The quick brown fox jumps over the lazy dog, and runs on for some more'.slice(0, length)
      for (let shift = 0; shift < 8; shift++) {
        const memory = Buffer.alloc(shift + 100)
        const reader = new FrameReader(1000)
        const one = sent(1, text)
        one.copy(memory, shift)
        const events: string[] = []
        reader.read(memory.subarray(shift, shift + one.length), {
          message: (bytes, from, to) => events.push(bytes.toString('latin1', from, to)),
          ping: () => {},
          pong: () => {},
          closed: () => {},
          failed: () => events.push('failed'),
        })
        expect(events).toEqual([text])
      }
    }
  })

  it('sees a byte beyond ASCII wherever it lies', () => {
    for (let at = 0; at < 40; at++) {
      const bytes = Buffer.alloc(40, 'x')
      bytes[at] = 0xff
      expect(read(sent(1, bytes)).events).toEqual([`failed ${closes.notUtf8}`])
    }
  })

  it('reads nothing after a close', () => {
    expect(read(Buffer.concat([sent(8, ''), sent(1, 'more')])).events).toEqual(['closed'])
  })

  it('writes frames of every length', () => {
    for (const [length, head] of [
      [0, '8100'],
      [125, '817d'],
      [126, '817e007e'],
      [65_535, '817effff'],
      [65_536, '817f0000000000010000'],
    ] as const) {
      const bytes = frame(opcodes.text, 'x'.repeat(length))
      expect(bytes.toString('hex', 0, head.length / 2)).toBe(head)
      expect(bytes.length).toBe(head.length / 2 + length)
    }
  })
})
