import { hash, randomBytes } from 'node:crypto'

/** 192 random bits: nobody finds one by trying, so one round of SHA-256 hides it well enough. */
export const newPasskey = (): string => randomBytes(24).toString('base64url')

/** SHA-256 of the text, base64url: what of a passkey is stored. */
export const passkeyHash = (passkey: string): string => hash('sha256', passkey, 'base64url')
