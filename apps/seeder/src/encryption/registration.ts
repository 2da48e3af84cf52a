import { createHash, webcrypto } from 'node:crypto'
import { checkRecipient, type NodeId, recipientSchema } from '@eldernode/core'
import { z } from 'zod'
import type { KeyStore, RegisteredReader } from '../library/index.ts'
import { RegistrationRefusedError } from './errors.ts'

const clockSkewMs = 5 * 60_000

const half = /^[A-Za-z0-9_-]{43}$/
/** The public part of a GUN SEA signing pair: the coordinates of a P-256 point, base64url, with a dot between them. */
const seaKeySchema = z
  .string()
  .length(87)
  .refine((text) => text.split('.').length === 2 && text.split('.').every((part) => half.test(part)), 'must be x.y')

const signedSchema = z
  .string()
  .max(2000)
  .startsWith('SEA{')
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text.slice(3))
    } catch {
      context.addIssue({ code: 'custom', message: 'must be what SEA.sign gives' })
      return z.NEVER
    }
  })
  .pipe(z.object({ m: z.unknown(), s: z.base64().max(200) }))

/** What the holder of the key says: `at` in milliseconds since 1970; `node` keeps it from being taken elsewhere. */
const statementSchema = z.strictObject({
  recipient: recipientSchema,
  node: z.string().max(100),
  at: z.int().positive(),
})

/** Of a request: `signed` is what `SEA.sign({recipient, node, at}, pair)` gives. */
export const registrationSchema = z.strictObject({ pub: seaKeySchema, signed: z.string().max(2000) })
export type Registration = z.output<typeof registrationSchema>

export interface RegistrationParts {
  id: NodeId
  keys: Pick<KeyStore, 'register' | 'registered'>
  now: () => number
}

/**
 * Lets the holder of a GUN SEA key be a reader under that name. The signature is checked here and nothing is read from the
 * user's space of the graph, which others can write to.
 * @throws RegistrationRefusedError, InvalidInputError for a recipient that is none
 */
export async function register({ pub, signed }: Registration, parts: RegistrationParts): Promise<RegisteredReader> {
  const { id, keys, now } = parts
  const parsed = signedSchema.safeParse(signed)
  if (!parsed.success) throw new RegistrationRefusedError('it is not what SEA.sign gives')
  const { m, s } = parsed.data
  const message = typeof m === 'string' ? m : JSON.stringify(m ?? null)
  if (!(await isSigned(pub, message, s))) throw new RegistrationRefusedError('its signature is not of that key')
  const statement = statementSchema.safeParse(typeof m === 'string' ? readJson(m) : m)
  if (!statement.success) throw new RegistrationRefusedError('what was signed is not {recipient, node, at}')
  const { recipient, node, at } = statement.data
  if (node !== id) throw new RegistrationRefusedError(`it was signed for another node, not for ${id}`)
  if (Math.abs(at - now()) > clockSkewMs) throw new RegistrationRefusedError('its time is more than 5 minutes off')
  await checkRecipient(recipient)
  // Nothing is waited for between the question and the answer: two that come at once are not both told that they count.
  const known = keys.registered(pub)
  if (known !== undefined && (known.signedAt > at || (known.signedAt === at && known.recipient !== recipient)))
    throw new RegistrationRefusedError('a newer one was taken')
  const reader = { id: pub, recipient, signedAt: at }
  keys.register(reader)
  return reader
}

/** As SEA signs: ECDSA with SHA-256 over the SHA-256 of the text. */
async function isSigned(pub: string, message: string, signature: string): Promise<boolean> {
  const [x = '', y = ''] = pub.split('.')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  try {
    const key = await webcrypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x, y }, algorithm, false, ['verify'])
    const digest = createHash('sha256').update(message).digest()
    const bytes = Buffer.from(signature, 'base64')
    return await webcrypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, bytes, digest)
  } catch {
    // Coordinates that are no point of the curve.
    return false
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
