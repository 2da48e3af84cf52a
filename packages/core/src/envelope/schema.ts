import { z } from 'zod'
import { networkIdSchema, nodeIdSchema, signatureSchema } from '../identity/index.ts'

/** Manifest, holdings, heartbeat, reader grant, audit result, certificate, denial, owner succession. */
export const kindSchema = z.enum(['m', 'h', 'hb', 'g', 'a', 'p', 'd', 'o'])
/** The kinds of value that travel in envelopes; each has its own soul (see docs/protocol.md). */
export type Kind = z.infer<typeof kindSchema>

/** The most bytes of UTF-8 that an envelope of each kind may have. */
export const ENVELOPE_LIMITS: Readonly<Record<Kind, number>> = {
  m: 8192,
  h: 65_536,
  hb: 8192,
  g: 8192,
  a: 40_960,
  p: 8192,
  d: 8192,
  o: 8192,
}

/** The largest envelope of any kind, in bytes. */
export const MAX_ENVELOPE_BYTES = 65_536

/** The members of an envelope, all required and no others. The body has a schema of its own for each kind. */
export const envelopeSchema = z.strictObject({
  v: z.literal(1),
  kind: kindSchema,
  network: networkIdSchema,
  pub: nodeIdSchema,
  ts: z.int().positive(),
  body: z.record(z.string(), z.unknown()),
  sig: signatureSchema,
})
