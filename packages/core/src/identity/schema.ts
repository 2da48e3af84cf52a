import { z } from 'zod'

/** A node id: 32 bytes, base64url without padding. */
export const nodeIdSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** A network id: the first 16 characters of base64url(SHA-256(first owner public key)). */
export const networkIdSchema = z.string().regex(/^[A-Za-z0-9_-]{16}$/)
