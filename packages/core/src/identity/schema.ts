import { z } from 'zod'

/**
 * A node id: 32 bytes, base64url without padding. The last character carries two unused bits that must be zero, else
 * one key would have four names.
 */
export const nodeIdSchema = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)

/** A network id: the first 16 characters of base64url(SHA-256(first owner public key)). */
export const networkIdSchema = z.string().regex(/^[A-Za-z0-9_-]{16}$/)

/** An Ed25519 signature: 64 bytes, base64url without padding, its four unused bits zero. */
export const signatureSchema = z.string().regex(/^[A-Za-z0-9_-]{85}[AQgw]$/)
