import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { base64, bech32 } from '@scure/base'
import { expect, describe, test } from 'vitest'
import { InvalidInputError } from '../errors.ts'
import { sha256Hex } from '../identity/index.ts'
import { encryptionSchema } from '../manifest/index.ts'
import {
  checkRecipient,
  chunkNonce,
  type Description,
  DescriptionTooLongError,
  fileIndexOf,
  fitDescription,
  grantKeyOf,
  grantSchema,
  headBytes,
  headerLength,
  fileKeyOf,
  needsIndex,
  newGrant,
  newHeader,
  newItemIdentity,
  openDescription,
  openGrant,
  openSmall,
  payloadSizeOf,
  plainSizeOf,
  readerOf,
  readFileIndex,
  recipientSchema,
  SealBrokenError,
  sealDescription,
  sealSmall,
  withdrawnGrant,
  WrongIdentityError,
} from './index.ts'

const text = new TextEncoder()
const infoHash = '0123456789abcdef0123456789abcdef01234567'
const [item, reader] = [await newItemIdentity(), await newItemIdentity()]

describe('payload', () => {
  test.each([
    [0, 16],
    [1, 17],
    [65_536, 65_552],
    [65_537, 65_569],
    [131_072, 131_104],
    [2 ** 40, 2 ** 40 + 16 * 2 ** 24],
  ])('%i bytes become %i, and back', (plain, sealed) => {
    expect(payloadSizeOf(plain)).toBe(sealed)
    expect(plainSizeOf(sealed)).toBe(plain)
  })

  test.each([0, 15, 65_552 + 1, 65_552 + 16, -1])('none has %i bytes', (size) => {
    expect(() => plainSizeOf(size)).toThrow(SealBrokenError)
  })

  test('each chunk has a nonce of its own', () => {
    const hex = (index: number, last: boolean) => bytesToHex(chunkNonce(index, last))
    expect(hex(0, false)).toBe('000000000000000000000000')
    expect(hex(258, true)).toBe('000000000000000000010201')
    expect(hex(2 ** 32 + 1, false)).toBe('000000000000010000000100')
  })
})

describe('headers', () => {
  test('have the length that is counted on, and give their key to the recipient alone', async () => {
    const { header, fileKey } = await newHeader([item.recipient])
    expect(header.length + 16).toBe(headBytes)
    const start = new Uint8Array([...header, ...new Uint8Array(500)])
    expect(headerLength(start)).toBe(header.length)
    expect(await fileKeyOf(header, item.identity)).toEqual(fileKey)
    await expect(fileKeyOf(header, reader.identity)).rejects.toThrow(WrongIdentityError)
    await expect(fileKeyOf(header.slice(0, -5), item.identity)).rejects.toThrow(SealBrokenError)
    expect((await newHeader([item.recipient])).fileKey).not.toEqual(fileKey)
  })

  test('do not repeat what is no identity', async () => {
    const { header } = await newHeader([item.recipient])
    const secret = 'AGE-SECRET-KEY-1NOTREALLYAKEY'
    await expect(fileKeyOf(header, secret)).rejects.toSatisfy(
      (error: Error) => error instanceof InvalidInputError && !error.message.includes('NOTREALLY'),
    )
  })
})

describe('recipients', () => {
  test.each(['', 'age1', reader.identity, `${item.recipient}q`, item.recipient.toUpperCase(), 'constructor'])(
    '%j is none',
    (wrong) => {
      expect(recipientSchema.safeParse(item.recipient).success).toBe(true)
      expect(recipientSchema.safeParse(wrong).success).toBe(false)
    },
  )

  test('of a checksum that is wrong is none, and neither is a point of low order', async () => {
    const last = item.recipient.endsWith('q') ? 'p' : 'q'
    expect(recipientSchema.safeParse(item.recipient.slice(0, -1) + last).success).toBe(false)
    await expect(checkRecipient(item.recipient)).resolves.toBeUndefined()
    const low = bech32.encodeFromBytes('age', new Uint8Array(32))
    await expect(checkRecipient(low)).rejects.toThrow(InvalidInputError)
  })
})

describe('grants', () => {
  test('open the item for their reader alone', async () => {
    const grant = await newGrant(infoHash, item.identity, reader.recipient)
    expect(grantSchema.parse(grant)).toEqual(grant)
    const open = (identity: string) => openGrant(grant.wrapped ?? '', (file) => openSmall(file, identity))
    expect(await open(reader.identity)).toEqual(item)
    await expect(open(item.identity)).rejects.toThrow(WrongIdentityError)
  })

  test('name their reader by infohash and key, and nothing else', () => {
    const { bytes } = bech32.decodeToBytes(reader.recipient)
    const hash = sha256Hex(new Uint8Array([...hexToBytes(infoHash), ...bytes])).slice(0, 32)
    expect(readerOf(infoHash, reader.recipient)).toBe(hash)
    const grant = withdrawnGrant(infoHash, reader.recipient)
    expect(grant).toEqual({ infoHash, reader: hash })
    expect(grantKeyOf(grant)).toBe(`${infoHash}.${hash}`)
  })

  test.each(['', 'no identity', 'AGE-SECRET-KEY-1QQQ'])('that hold %j are broken', async (content) => {
    const wrapped = base64.encode(await sealSmall(text.encode(content), reader.recipient))
    await expect(openGrant(wrapped, (file) => openSmall(file, reader.identity))).rejects.toThrow(SealBrokenError)
  })
})

describe('descriptions', () => {
  const file = (n: number) => ({ path: `folder/track ${n}.flac`, type: 'audio/flac', size: 1000 + n })
  const files = (count: number) => Array.from({ length: count }, (_, n) => file(n))
  const whole = (count: number): Description => ({ name: 'näme', tags: ['a'], files: files(count) })

  test('are read back by who has the identity', async () => {
    const sealed = await sealDescription(whole(3), item.recipient)
    expect(await openDescription(sealed, item.identity)).toEqual(whole(3))
    await expect(openDescription(sealed, reader.identity)).rejects.toThrow(WrongIdentityError)
  })

  test('of many files fit the manifest with as many as there is room for, when the item lists them all', async () => {
    expect(needsIndex(files(5))).toBe(false)
    expect(needsIndex(files(50))).toBe(true)
    const fitted = fitDescription(whole(500), true)
    expect(fitted).toMatchObject({ name: 'näme', tags: ['a'], index: true })
    expect(fitted.files).toEqual(files(fitted.files.length))
    expect(fitted.files.length).toBeGreaterThan(20)
    const sealed = await sealDescription(fitted, item.recipient)
    expect(encryptionSchema.safeParse({ format: 'age', recipient: item.recipient, sealed }).success).toBe(true)
    const over = { ...fitted, files: files(fitted.files.length + 1) }
    expect((await sealDescription(over, item.recipient)).length).toBeGreaterThan(4096)
    expect(readFileIndex(fileIndexOf(files(500)))).toEqual(files(500))
  })

  test('that are too long without the files are refused', () => {
    const tags = Array.from({ length: 32 }, (_, n) => `${n}${'é'.repeat(60)}`)
    expect(() => fitDescription({ ...whole(1), tags }, true)).toThrow(DescriptionTooLongError)
    expect(() => fitDescription(whole(500), false)).toThrow(DescriptionTooLongError)
  })

  test.each(['', '{}', 'null', '{"name":"../x","files":[]}', '{"name":"x","files":[{"path":"a/../b"}]}'])(
    'that say %j are broken',
    async (content) => {
      const sealed = base64.encode(await sealSmall(text.encode(content), item.recipient))
      await expect(openDescription(sealed, item.identity)).rejects.toThrow(SealBrokenError)
      expect(() => readFileIndex(text.encode(content))).toThrow(SealBrokenError)
    },
  )
})
