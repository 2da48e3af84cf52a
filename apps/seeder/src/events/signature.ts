import { createHmac, randomBytes } from 'node:crypto'

const prefix = 'whsec_'

export function createSecret(): string {
  return prefix + randomBytes(32).toString('base64')
}

/**
 * The headers that let a receiver check who sent a message, and when (Standard Webhooks 1.0).
 * @param id the same each time that a message is sent
 * @param at milliseconds since 1970
 */
export function signedHeaders(secret: string, id: string, at: number, body: string): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000))
  const key = Buffer.from(secret.slice(prefix.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}
