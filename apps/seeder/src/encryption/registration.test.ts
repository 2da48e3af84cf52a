import { createHash, webcrypto } from 'node:crypto'
import { InvalidInputError, newItemIdentity } from '@eldernode/core'
import { expect, test, vi } from 'vitest'
import type { RegisteredReader } from '../library/index.ts'
import { RegistrationRefusedError } from './errors.ts'
import { register } from './registration.ts'

const now = 1_800_000_000_000
const id = 'n'.repeat(43)

async function newPair() {
  const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const { x, y } = await webcrypto.subtle.exportKey('jwk', pair.publicKey)
  return { pub: `${x}.${y}`, privateKey: pair.privateKey }
}
type Pair = Awaited<ReturnType<typeof newPair>>

/** As SEA signs (https://gun.eco/docs/SEA). */
async function signed(message: unknown, { privateKey }: Pair): Promise<string> {
  const text = typeof message === 'string' ? message : JSON.stringify(message)
  const digest = createHash('sha256').update(text).digest()
  const bytes = await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, digest)
  return `SEA${JSON.stringify({ m: message, s: Buffer.from(bytes).toString('base64') })}`
}

function registry() {
  const taken = new Map<string, RegisteredReader>()
  const keys = {
    register: vi.fn<(reader: RegisteredReader) => void>((reader) => void taken.set(reader.id, reader)),
    registered: (name: string) => taken.get(name),
  }
  return { taken, parts: { id, keys, now: () => now } }
}

const { recipient } = await newItemIdentity()
const pair = await newPair()
const statement = { recipient, node: id, at: now - 1000 }

test('what the key signed is taken, as an object and as text', async () => {
  for (const message of [statement, JSON.stringify(statement)]) {
    const { taken, parts } = registry()
    await register({ pub: pair.pub, signed: await signed(message, pair) }, parts)
    expect(taken.get(pair.pub)).toEqual({ id: pair.pub, recipient, signedAt: now - 1000 })
  }
})

const flipped = (text: string) => text.replace(/"at":(\d+)/, (_, at: string) => `"at":${Number(at) + 1}`)
const other = await newPair()
test.each([
  ['signed by another key', { pub: other.pub, signed: await signed(statement, pair) }],
  ['changed after it was signed', { pub: pair.pub, signed: flipped(await signed(statement, pair)) }],
  ['for another node', { pub: pair.pub, signed: await signed({ ...statement, node: 'm'.repeat(43) }, pair) }],
  ['old', { pub: pair.pub, signed: await signed({ ...statement, at: now - 300_001 }, pair) }],
  ['ahead of its time', { pub: pair.pub, signed: await signed({ ...statement, at: now + 300_001 }, pair) }],
  ['of no recipient', { pub: pair.pub, signed: await signed({ ...statement, recipient: 'age1x' }, pair) }],
  ['of more than was asked for', { pub: pair.pub, signed: await signed({ ...statement, admin: true }, pair) }],
  ['of nothing', { pub: pair.pub, signed: await signed('null', pair) }],
  ['no JSON', { pub: pair.pub, signed: 'SEA{' }],
  ['no signature', { pub: pair.pub, signed: 'SEA{"m":{},"s":"!"}' }],
  ['in a foreign form', { pub: pair.pub, signed: JSON.stringify(statement) }],
  ['of a key that is no point', { pub: `${'A'.repeat(43)}.${'A'.repeat(43)}`, signed: await signed(statement, pair) }],
])('a registration %s is refused', async (_, registration) => {
  const { parts } = registry()
  await expect(register(registration, parts)).rejects.toThrow(RegistrationRefusedError)
  expect(parts.keys.register).not.toHaveBeenCalled()
})

test('a point of low order is no recipient', async () => {
  const { parts } = registry()
  const low = { ...statement, recipient: 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z' }
  await expect(register({ pub: pair.pub, signed: await signed(low, pair) }, parts)).rejects.toThrow(InvalidInputError)
  expect(parts.keys.register).not.toHaveBeenCalled()
})

test('an older one does not replace a newer one', async () => {
  const { taken, parts } = registry()
  await register({ pub: pair.pub, signed: await signed(statement, pair) }, parts)
  const older = { pub: pair.pub, signed: await signed({ ...statement, at: now - 2000 }, pair) }
  await expect(register(older, parts)).rejects.toThrow('a newer one was taken')
  const next = { ...statement, recipient: (await newItemIdentity()).recipient, at: now }
  await register({ pub: pair.pub, signed: await signed(next, pair) }, parts)
  expect(taken.get(pair.pub)?.recipient).toBe(next.recipient)
})

test('one that a newer one overtakes is not told that it was taken', async () => {
  const { taken, parts } = registry()
  const newer = { id: pair.pub, recipient: (await newItemIdentity()).recipient, signedAt: now }
  const overtaken = {
    ...parts,
    now: () => {
      queueMicrotask(() => taken.set(pair.pub, newer))
      return now
    },
  }
  const older = { pub: pair.pub, signed: await signed(statement, pair) }
  await expect(register(older, overtaken)).rejects.toThrow('a newer one was taken')
  expect(taken.get(pair.pub)).toEqual(newer)
})

test('of two of the same moment the first counts, and may come again', async () => {
  const { taken, parts } = registry()
  const first = { pub: pair.pub, signed: await signed(statement, pair) }
  for (let time = 0; time < 2; time++) await register(first, parts)
  const later = { ...statement, recipient: (await newItemIdentity()).recipient }
  const second = { pub: pair.pub, signed: await signed(later, pair) }
  await expect(register(second, parts)).rejects.toThrow('a newer one was taken')
  expect(taken.get(pair.pub)?.recipient).toBe(recipient)
})

test.each([-300_001, 300_001])('a time %i ms away is said to be off, and not to be past', async (ms) => {
  const registration = { pub: pair.pub, signed: await signed({ ...statement, at: now + ms }, pair) }
  await expect(register(registration, registry().parts)).rejects.toThrow('its time is more than 5 minutes off')
})
