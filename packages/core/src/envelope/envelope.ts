import canonicalize from 'canonicalize'
import { BadSignatureError, InvalidInputError } from '../errors.ts'
import { fromBase64url, toBase64url } from '../identity/index.ts'
import type { Identity, NodeId, SyncVerifier, Verifier } from '../identity/index.ts'
import { EnvelopeTooLargeError, FutureTimestampError, MalformedEnvelopeError, WrongNetworkError } from './errors.ts'
import { ENVELOPE_LIMITS, envelopeSchema, MAX_ENVELOPE_BYTES } from './schema.ts'
import type { Kind } from './schema.ts'
import { MAX_CLOCK_SKEW } from './timestamp.ts'

/** What is signed: an envelope without its signature. `ts` in milliseconds. */
export interface Letter {
  kind: Kind
  network: string
  ts: number
  body: object
}

/** An envelope whose form was checked. The body is still foreign: its kind's schema has not seen it. */
export interface Envelope {
  kind: Kind
  network: string
  pub: NodeId
  ts: number
  body: unknown
  /** The JSON text as it travels and is stored. */
  text: string
}

/** What an envelope must fit. `now` is this machine's time in milliseconds. */
export interface Expectation {
  network: string
  now: number
}

const utf8 = new TextEncoder()

/**
 * Signs one value. The text is the canonical JSON (RFC 8785) of `{body, kind, network, pub, sig, ts, v}`; `sig` is the
 * Ed25519 signature over the canonical JSON of the same object without `sig`.
 * @throws InvalidInputError when the body is no JSON object, EnvelopeTooLargeError
 */
export async function seal(letter: Letter, identity: Identity): Promise<string> {
  const { kind, network, ts, body } = letter
  const signed = { v: 1, kind, network, pub: identity.id, ts, body }
  const message = utf8.encode(canonical(signed))
  const text = canonical({ ...signed, sig: toBase64url(await identity.sign(message)) })
  checkSize(kind, utf8.encode(text).length)
  const parsed = envelopeSchema.safeParse(JSON.parse(text))
  if (!parsed.success) throw new InvalidInputError(`not a value of kind ${kind}`, { cause: parsed.error })
  return text
}

/**
 * Checks everything but membership and the body's own schema, cheapest first: size, form, network, clock, signature.
 * With a verifier that answers at once the envelope comes back at once; else a promise.
 * @throws MalformedEnvelopeError, EnvelopeTooLargeError, WrongNetworkError, FutureTimestampError, BadSignatureError
 */
export function open(text: string, expected: Expectation, verifier: SyncVerifier): Envelope
export function open(text: string, expected: Expectation, verifier: Verifier): Envelope | Promise<Envelope>
export function open(text: string, expected: Expectation, verifier: Verifier): Envelope | Promise<Envelope> {
  const { envelope, sig } = parse(text)
  if (envelope.network !== expected.network) throw new WrongNetworkError(envelope.network, expected.network)
  if (envelope.ts - expected.now > MAX_CLOCK_SKEW) throw new FutureTimestampError(envelope.ts, expected.now)
  const valid = verifier.verify(envelope.pub, signedPart(envelope, sig), fromBase64url(sig))
  if (typeof valid === 'boolean') return signedOnly(envelope, valid)
  return valid.then((answer) => signedOnly(envelope, answer))
}

/**
 * Reads an envelope without checking its signature: only for text that was opened before and has been in this node's
 * own store since.
 * @throws MalformedEnvelopeError, EnvelopeTooLargeError
 */
export function readStored(text: string): Envelope {
  return parse(text).envelope
}

function parse(text: string): { envelope: Envelope; sig: string } {
  if (text.length > MAX_ENVELOPE_BYTES) throw new EnvelopeTooLargeError('any', text.length, MAX_ENVELOPE_BYTES)
  const parsed = envelopeSchema.safeParse(readJson(text))
  if (!parsed.success) {
    throw new MalformedEnvelopeError('the envelope lacks a member or has a wrong one', { cause: parsed.error })
  }
  const { kind, network, pub, ts, body, sig } = parsed.data
  checkSize(kind, utf8.encode(text).length)
  return { envelope: { kind, network, pub, ts, body, text }, sig }
}

/** The bytes under the signature: in canonical JSON, the text without its `sig` member. */
function signedPart({ kind, network, pub, ts, body, text }: Envelope, sig: string): Uint8Array {
  // One value has one text: otherwise anyone could respell it, and nodes that hold different spellings never agree.
  if (canonical({ body, kind, network, pub, sig, ts, v: 1 }) !== text) {
    throw new MalformedEnvelopeError('the envelope is not canonical JSON (RFC 8785)')
  }
  const member = `,"sig":"${sig}"`
  const at = text.lastIndexOf(member)
  return utf8.encode(text.slice(0, at) + text.slice(at + member.length))
}

function signedOnly(envelope: Envelope, valid: boolean): Envelope {
  if (!valid) throw new BadSignatureError(`the envelope is not signed by ${envelope.pub}`)
  return envelope
}

function checkSize(kind: Kind, bytes: number): void {
  const limit = ENVELOPE_LIMITS[kind]
  if (bytes > limit) throw new EnvelopeTooLargeError(kind, bytes, limit)
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MalformedEnvelopeError('the envelope is not JSON', { cause })
  }
}

function canonical(value: object): string {
  try {
    return canonicalize(value) ?? ''
  } catch (cause) {
    throw new MalformedEnvelopeError('a value has no canonical JSON (RFC 8785)', { cause })
  }
}
