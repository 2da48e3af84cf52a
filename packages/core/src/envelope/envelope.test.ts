import canonicalize from 'canonicalize'
import { beforeAll, describe, expect, test } from 'vitest'
import { BadSignatureError, EldernodeError, InvalidInputError } from '../errors.ts'
import { networkIdOf, toBase64url, WebIdentity, WebVerifier } from '../identity/index.ts'
import type { SyncVerifier } from '../identity/index.ts'
import { open, readStored, seal } from './envelope.ts'
import { ENVELOPE_LIMITS, MAX_CLOCK_SKEW } from './index.ts'
import type { Envelope, Kind, Letter } from './index.ts'

const now = 1_800_000_000_000
const verifier = new WebVerifier()
let identity: WebIdentity
let network: string

beforeAll(async () => {
  identity = await WebIdentity.fromSeed(new Uint8Array(32).fill(7))
  network = networkIdOf(identity.id)
})

const letter = (change: Partial<Letter> = {}): Letter => ({
  kind: 'm',
  network,
  ts: now,
  body: { b: 1, a: 'ä' },
  ...change,
})
const opened = async (text: string): Promise<Envelope> => await open(text, { network, now }, verifier)

/** Signs anything, so that forms which `seal` refuses reach `open`. */
async function signRaw(value: Record<string, unknown>): Promise<string> {
  const full = { v: 1, kind: 'm', network, pub: identity.id, ts: now, body: {}, ...value }
  const sig = toBase64url(await identity.sign(new TextEncoder().encode(canonicalize(full))))
  return canonicalize({ ...full, sig }) ?? ''
}

async function codeOf(attempt: () => Promise<unknown>): Promise<string> {
  const error: unknown = await attempt().then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  )
  if (error instanceof EldernodeError) return error.code
  throw error
}

describe('seal and open', () => {
  test('what was sealed opens to the same body', async () => {
    const text = await seal(letter(), identity)
    expect(await opened(text)).toEqual({ ...letter(), pub: identity.id, text })
    expect(readStored(text)).toEqual({ ...letter(), pub: identity.id, text })
  })

  test('the text is canonical JSON, and the signature covers it without sig', async () => {
    const text = await seal(letter(), identity)
    const start = `{"body":{"a":"ä","b":1},"kind":"m","network":"${network}","pub":"${identity.id}"`
    const sig = toBase64url(await identity.sign(new TextEncoder().encode(`${start},"ts":${now},"v":1}`)))
    expect(text).toBe(`${start},"sig":"${sig}","ts":${now},"v":1}`)
  })

  test('a verifier that answers at once needs no promise', async () => {
    const seen: Uint8Array[] = []
    const yes: SyncVerifier = { verify: (_id, message) => seen.push(message) > 0 }
    const no: SyncVerifier = { verify: () => false }
    const text = await seal(letter(), identity)
    expect(open(text, { network, now }, yes).body).toEqual(letter().body)
    expect(() => open(text, { network, now }, no)).toThrow(BadSignatureError)
    expect(await verifier.verify(identity.id, seen[0]!, await identity.sign(seen[0]!))).toBe(true)
  })

  test('a body that quotes an envelope does not confuse the signed part', async () => {
    const inner = await seal(letter(), identity)
    const text = await seal(letter({ body: { z: inner, sig: 'x', kind: ',"sig":"' } }), identity)
    expect((await opened(text)).body).toEqual({ z: inner, sig: 'x', kind: ',"sig":"' })
  })

  test('unknown fields of a body are kept', async () => {
    const text = await seal(letter({ body: { future: { deep: [1, null] } } }), identity)
    expect((await opened(text)).text).toContain('"future":{"deep":[1,null]}')
  })

  test('what has no JSON is not sealed', async () => {
    await expect(seal(letter({ body: [] }), identity)).rejects.toThrow(InvalidInputError)
    await expect(seal(letter({ body: { a: Number.NaN } }), identity)).rejects.toThrow(/canonical/)
    await expect(seal(letter({ body: { a: '\ud800' } }), identity)).rejects.toThrow(/canonical/)
    await expect(seal(letter({ ts: 1.5 }), identity)).rejects.toThrow(InvalidInputError)
    await expect(seal(letter({ network: 'x' }), identity)).rejects.toThrow(InvalidInputError)
  })
})

describe('open refuses', () => {
  test.each(['', 'null', '[]', '5', '"x"', '{', '{}', '['.repeat(60_000), '{"__proto__":{"v":1}}'])(
    '%#: no envelope',
    async (text) => {
      expect(await codeOf(async () => await opened(text))).toBe('malformed_envelope')
    },
  )

  test.each<[string, Record<string, unknown>]>([
    ['another version', { v: 2 }],
    ['an unknown kind', { kind: 'constructor' }],
    ['a body that is no object', { body: [] }],
    ['a fractional time', { ts: now + 0.5 }],
    ['a text as time', { ts: `${now}` }],
    ['a key of another spelling', { pub: `${'A'.repeat(42)}B` }],
    ['an unknown member', { extra: 1 }],
  ])('%s', async (_name, change) => {
    const text = await signRaw(change)
    expect(await codeOf(async () => await opened(text))).toBe('malformed_envelope')
  })

  test('every member is required', async () => {
    const whole = JSON.parse(await seal(letter(), identity)) as Record<string, unknown>
    for (const member of Object.keys(whole)) {
      const text = canonicalize({ ...whole, [member]: undefined }) ?? ''
      expect(await codeOf(async () => await opened(text)), member).toBe('malformed_envelope')
    }
  })

  test('another spelling of the same value', async () => {
    const text = await seal(letter(), identity)
    for (const spelling of [
      `${text} `,
      text.replace('"v":1', '"v":1.0'),
      text.replace('{"body"', '{"v":1,"body"'),
      text.replace('ä', '\\u00e4'),
    ]) {
      expect(await codeOf(async () => await opened(spelling))).toBe('malformed_envelope')
    }
  })

  test('another network', async () => {
    const other = await seal(letter({ network: 'A'.repeat(16) }), identity)
    expect(await codeOf(async () => await opened(other))).toBe('wrong_network')
  })

  test('a time more than 5 minutes ahead, and no earlier one', async () => {
    await opened(await seal(letter({ ts: now + MAX_CLOCK_SKEW }), identity))
    await opened(await seal(letter({ ts: 1 }), identity))
    const ahead = await seal(letter({ ts: now + MAX_CLOCK_SKEW + 1 }), identity)
    expect(await codeOf(async () => await opened(ahead))).toBe('future_timestamp')
  })

  test('a changed body, time, kind, signer or signature', async () => {
    const text = await seal(letter(), identity)
    const other = await WebIdentity.generate()
    const sig = /"sig":"(.)/.exec(text)?.[1] ?? ''
    const forgeries = [
      text.replace('"b":1', '"b":2'),
      text.replace(`${now}`, `${now + 1}`),
      text.replace('"kind":"m"', '"kind":"h"'),
      text.replace(identity.id, other.id),
      text.replace(`"sig":"${sig}`, `"sig":"${sig === 'A' ? 'B' : 'A'}`),
    ]
    for (const forged of forgeries) {
      expect(forged).not.toBe(text)
      expect(await codeOf(async () => await opened(forged))).toBe('bad_signature')
    }
  })

  test.each(Object.entries(ENVELOPE_LIMITS) as [Kind, number][])(
    'kind %s above %i bytes of UTF-8',
    async (kind, limit) => {
      const bare = new TextEncoder().encode(await seal(letter({ kind, body: { a: '' } }), identity)).length
      const full = await seal(letter({ kind, body: { a: 'x'.repeat(limit - bare) } }), identity)
      expect((await opened(full)).kind).toBe(kind)
      const over = { kind, body: { a: `${'x'.repeat(limit - bare - 1)}ä` } }
      expect(await codeOf(async () => await seal(letter(over), identity))).toBe('envelope_too_large')
      const forced = await signRaw(over)
      expect(await codeOf(async () => await opened(forced))).toBe('envelope_too_large')
    },
  )
})
