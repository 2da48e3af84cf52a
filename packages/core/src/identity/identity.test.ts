import { describe, expect, test } from 'vitest'
import {
  fromBase64url,
  InvalidInputError,
  networkIdOf,
  nodeIdSchema,
  sha256Hex,
  sha256OfNode,
  toBase64url,
} from '../index.ts'
import { WebIdentity, WebVerifier } from '../index.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** RFC 8032, section 7.1, tests 1 to 3. */
const vectors = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    pub: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    sig: 'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    pub: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    sig: '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    pub: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    sig: '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
]

describe('WebIdentity and WebVerifier', () => {
  test.each(vectors)('sign and verify as RFC 8032 says: $seed', async ({ seed, pub, message, sig }) => {
    const identity = await WebIdentity.fromSeed(hex(seed))
    expect(identity.id).toBe(toBase64url(hex(pub)))
    expect(await identity.sign(hex(message))).toEqual(hex(sig))
    expect(await new WebVerifier().verify(identity.id, hex(message), hex(sig))).toBe(true)
  })

  test('a generated key survives export and import, as JWK and as seed', async () => {
    const made = await WebIdentity.generate()
    const fromJwk = await WebIdentity.fromJwk(JSON.parse(JSON.stringify(await made.exportJwk())))
    const fromSeed = await WebIdentity.fromSeed(await made.exportSeed())
    expect([fromJwk.id, fromSeed.id]).toEqual([made.id, made.id])
    expect(nodeIdSchema.parse(made.id)).toHaveLength(43)
    expect((await WebIdentity.generate()).id).not.toBe(made.id)
  })

  test('malformed private keys are refused', async () => {
    const jwk = await (await WebIdentity.generate()).exportJwk()
    const other = await (await WebIdentity.generate()).exportJwk()
    await expect(WebIdentity.fromSeed(new Uint8Array(31))).rejects.toThrow(InvalidInputError)
    await expect(WebIdentity.fromJwk({ ...jwk, x: other.x })).rejects.toThrow(/another public key/)
    await expect(WebIdentity.fromJwk({ ...jwk, crv: 'X25519' })).rejects.toThrow(InvalidInputError)
    await expect(WebIdentity.fromJwk(null)).rejects.toThrow(InvalidInputError)
  })

  test('verify answers false, never throws, for anything that is not the signature', async () => {
    const identity = await WebIdentity.generate()
    const verifier = new WebVerifier()
    const sig = await identity.sign(text('hello'))
    const flipped = Uint8Array.from(sig, (byte, i) => (i === 10 ? byte ^ 1 : byte))
    expect(await verifier.verify(identity.id, text('hello'), sig)).toBe(true)
    expect(await verifier.verify(identity.id, text('hullo'), sig)).toBe(false)
    expect(await verifier.verify(identity.id, text('hello'), flipped)).toBe(false)
    expect(await verifier.verify(identity.id, text('hello'), sig.subarray(1))).toBe(false)
    expect(await verifier.verify((await WebIdentity.generate()).id, text('hello'), sig)).toBe(false)
    expect(await verifier.verify('', text('hello'), sig)).toBe(false)
    expect(await verifier.verify('constructor', text('hello'), sig)).toBe(false)
    expect(await verifier.verify('!'.repeat(43), text('hello'), sig)).toBe(false)
  })

  test('a verifier that has seen more keys than it keeps still verifies', async () => {
    const verifier = new WebVerifier()
    const identity = await WebIdentity.generate()
    const sig = await identity.sign(text('x'))
    for (let n = 0; n < 1100; n++) await verifier.verify(toBase64url(new Uint8Array(32).fill(n)), text('x'), sig)
    expect(await verifier.verify(identity.id, text('x'), sig)).toBe(true)
  })
})

describe('base64url', () => {
  test('bytes survive', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect(fromBase64url(toBase64url(bytes))).toEqual(bytes)
    expect(toBase64url(Uint8Array.of(251, 255, 191))).toBe('-_-_')
  })

  test.each(['a', 'AA==', 'A+/A', 'AA\n', 'é'])('%j is refused', (bad) => {
    expect(() => fromBase64url(bad)).toThrow(InvalidInputError)
  })

  test('a key has one name only: set unused bits are refused', () => {
    const name = toBase64url(new Uint8Array(32))
    expect(nodeIdSchema.safeParse(name).success).toBe(true)
    expect(nodeIdSchema.safeParse(`${name.slice(0, 42)}B`).success).toBe(false)
    expect(() => fromBase64url(`${name.slice(0, 42)}B`)).toThrow(InvalidInputError)
  })
})

test('digests are of raw bytes', () => {
  const id = toBase64url(new Uint8Array(32))
  const ofZeros = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'
  expect(sha256Hex(text('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(sha256OfNode(id)).toEqual(hex(ofZeros))
  expect(networkIdOf(id)).toBe(toBase64url(hex(ofZeros)).slice(0, 16))
})
