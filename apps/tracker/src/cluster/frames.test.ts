import { InvalidInputError } from '@eldernode/core'
import { expect, test } from 'vitest'
import { FrameReader, FrameWriter, maxPayload, says } from './frames.ts'
import { shardOf } from './shard.ts'

interface Frame {
  kind: number
  id: number
  payload: string
}

const framesOf = (chunks: Iterable<Buffer>, reader = new FrameReader()): Frame[] => {
  const frames: Frame[] = []
  for (const chunk of chunks) {
    reader.read(chunk, (kind, id, payload) => frames.push({ kind, id, payload: payload.toString('latin1') }))
  }
  return frames
}

const some = (): Buffer => {
  const writer = new FrameWriter()
  writer.begin(says.say, 7)
  writer.text('\u00ffcaf\u00e9')
  writer.end()
  writer.begin(says.gone, 0xffff_ffff)
  writer.end()
  writer.begin(says.ask, 1)
  writer.int(-5)
  writer.put(Buffer.alloc(100_000, 'x'))
  writer.end()
  return writer.take()
}

const told: Frame[] = [
  { kind: says.say, id: 7, payload: '\u00ffcaf\u00e9' },
  { kind: says.gone, id: 0xffff_ffff, payload: '' },
  { kind: says.ask, id: 1, payload: `\u00ff\u00ff\u00ff\u00fb${'x'.repeat(100_000)}` },
]

test('frames arrive as they were said, in whatever pieces they come', () => {
  const bytes = some()
  expect(framesOf([bytes])).toEqual(told)
  for (const size of [1, 2, 3, 5, 8, 4096]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    )
    expect(framesOf(pieces)).toEqual(told)
  }
})

test('a writer begins anew after what was taken, and what was taken stays', () => {
  const writer = new FrameWriter()
  writer.begin(says.gone, 1)
  writer.end()
  const first = writer.take()
  expect(writer.length).toBe(0)
  writer.begin(says.gone, 2)
  writer.end()
  expect(framesOf([first, writer.take()]).map(({ id }) => id)).toEqual([1, 2])
})

const head = (length: number, kind: number): Buffer => {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt32BE(length)
  bytes[4] = kind
  return bytes
}

test.for([
  ['without a kind', head(5, 0)],
  ['of no kind', head(5, 13)],
  ['too short', head(4, 1)],
  ['longer than any', head(maxPayload + 6, 1)],
] as const)('a frame %s ends the connection', ([, bytes]) => {
  expect(() => framesOf([bytes])).toThrow(InvalidInputError)
})

const faultOf = (bytes: Buffer): unknown => {
  try {
    framesOf([bytes])
    return undefined
  } catch (error) {
    return error
  }
}

test('bytes at random throw at once, or wait within the limit', () => {
  let seed = 1
  const random = (): number => (seed = (seed * 48_271) % 0x7fff_ffff) / 0x7fff_ffff
  for (let i = 0; i < 2000; i++) {
    const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256)))
    if (i % 2 === 0 && bytes.length > 3) bytes.writeUInt32BE(Math.floor(random() * 40))
    expect(faultOf(bytes)).toSatisfy((fault) => fault === undefined || fault instanceof InvalidInputError)
  }
})

test.for([
  [0, 1, 0],
  [7, 2, 1],
  // The word of an infohash that begins with ff ff ff ff.
  [-1, 2, 1],
  [-1, 7, 0xffff_ffff % 7],
  [0x8000_0000 | 0, 3, 0x8000_0000 % 3],
] as const)('the word %i falls, of %i shards, to %i', ([word, shards, expected]) => {
  expect(shardOf(word, shards)).toBe(expected)
})
