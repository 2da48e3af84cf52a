import { z } from 'zod'
import { InvalidInputError } from '../errors.ts'
import { fromBase64url, toBase64url } from './base64url.ts'
import type { Identity, NodeId } from './identity.ts'
import { nodeIdSchema } from './schema.ts'

/** PKCS #8 header of an Ed25519 private key (RFC 8410); the 32-byte seed follows. */
const PKCS8_HEADER = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32)
const SEED_BYTES = 32

/** An Ed25519 private key as a JSON Web Key (RFC 8037): `d` is the seed and `x` the public key, both base64url. */
export const privateJwkSchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  d: nodeIdSchema,
  x: nodeIdSchema,
})
export type PrivateJwk = z.infer<typeof privateJwkSchema>

/** An identity kept by WebCrypto; the same in browsers and Node. */
export class WebIdentity implements Identity {
  readonly id: NodeId
  readonly #key: CryptoKey

  private constructor(id: NodeId, key: CryptoKey) {
    this.id = id
    this.#key = key
  }

  /** Makes a new key pair. */
  static async generate(): Promise<WebIdentity> {
    return await WebIdentity.fromSeed(crypto.getRandomValues(new Uint8Array(SEED_BYTES)))
  }

  /**
   * The identity of a 32-byte seed (RFC 8032, section 5.1.5).
   * @throws InvalidInputError
   */
  static async fromSeed(seed: Uint8Array): Promise<WebIdentity> {
    if (seed.length !== SEED_BYTES) {
      throw new InvalidInputError(`an Ed25519 seed has ${SEED_BYTES} bytes, this one ${seed.length}`)
    }
    const pkcs8 = Uint8Array.of(...PKCS8_HEADER, ...seed)
    const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign'])
    const { x } = await crypto.subtle.exportKey('jwk', key)
    return new WebIdentity(nodeIdSchema.parse(x), key)
  }

  /**
   * The identity of a JSON Web Key.
   * @throws InvalidInputError when it is no Ed25519 private key or `x` is not the public key of `d`
   */
  static async fromJwk(jwk: unknown): Promise<WebIdentity> {
    const parsed = privateJwkSchema.safeParse(jwk)
    if (!parsed.success) throw new InvalidInputError('not an Ed25519 private JWK (RFC 8037)', { cause: parsed.error })
    const identity = await WebIdentity.fromSeed(fromBase64url(parsed.data.d))
    if (identity.id !== parsed.data.x) {
      throw new InvalidInputError('the JWK names another public key (x) than its private key (d) has')
    }
    return identity
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.sign('Ed25519', this.#key, new Uint8Array(message)))
  }

  /** The private key as a JSON Web Key. Whoever reads it can sign as this node. */
  async exportJwk(): Promise<PrivateJwk> {
    const { d } = await crypto.subtle.exportKey('jwk', this.#key)
    return privateJwkSchema.parse({ kty: 'OKP', crv: 'Ed25519', d, x: this.id })
  }

  /** The 32-byte seed. Whoever reads it can sign as this node. */
  async exportSeed(): Promise<Uint8Array> {
    return fromBase64url((await this.exportJwk()).d)
  }

  /** The seed as base64url, as a key file stores it. */
  async exportSeedText(): Promise<string> {
    return toBase64url(await this.exportSeed())
  }
}
