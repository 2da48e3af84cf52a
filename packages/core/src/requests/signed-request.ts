import { createSignature, isSignatureError, verifySignature } from 'http-message-sig'
import type { FieldOccurrence, RequestDescriptor } from 'http-message-sig'
import { nodeIdSchema, toBase64url } from '../identity/index.ts'
import type { Identity, NodeId, Verifier } from '../identity/index.ts'
import { contentDigest } from './digest.ts'
import { UnsignedRequestError } from './errors.ts'
import { Nonces } from './nonces.ts'

/** Seconds that a signature is good for, and that a clock may be ahead of ours. */
const WINDOW = 300
const LABEL = 'eldernode'
const COMPONENTS = ['@method', '@target-uri', 'content-digest']
const NONCE = /^[A-Za-z0-9_-]{16,64}$/

/** A request from one node to another. `url` is absolute, as the receiver knows itself; `body` may be left out. */
export interface NodeRequest {
  method: string
  url: string
  body?: Uint8Array
}

const nothing = new Uint8Array()

/**
 * Signs a request with the node key: HTTP Message Signatures (RFC 9421), Ed25519, over method, target URI and content
 * digest (RFC 9530). @returns the headers to send
 * @param now milliseconds since 1970
 */
export async function signRequest(
  request: NodeRequest,
  identity: Identity,
  now: number,
): Promise<Record<string, string>> {
  const digest = contentDigest(request.body ?? nothing)
  const nonce = toBase64url(crypto.getRandomValues(new Uint8Array(16)))
  const { signature, signatureInput } = await createSignature(
    describe(request, [{ name: 'content-digest', value: digest }]),
    {
      label: LABEL,
      components: COMPONENTS,
      parameters: { created: Math.floor(now / 1000), keyid: identity.id, nonce, alg: 'ed25519' },
      signer: { algorithm: 'ed25519', sign: (data) => identity.sign(data) },
    },
  )
  return { 'content-digest': digest, signature, 'signature-input': signatureInput }
}

/** Headers as Node and Fastify give them. */
export type IncomingHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Lets pass what a known node signed for this very request, once. */
export class RequestGate {
  readonly #verifier: Verifier
  readonly #admits: (node: NodeId) => boolean
  readonly #now: () => number
  readonly #nonces: Nonces

  /**
   * @param admits whether requests of that node are accepted at all; asked before its signature is checked
   * @param mostOfOne requests of one node that are remembered in the window, and so accepted
   */
  constructor(options: {
    verifier: Verifier
    admits: (node: NodeId) => boolean
    now: () => number
    mostOfOne?: number
  }) {
    this.#nonces = new Nonces(options.mostOfOne)
    this.#verifier = options.verifier
    this.#admits = options.admits
    this.#now = options.now
  }

  /**
   * @returns the node that signed the request
   * @throws UnsignedRequestError, TooManyRequestsError
   */
  async check(request: NodeRequest, headers: IncomingHeaders): Promise<NodeId> {
    if (headers['content-digest'] !== contentDigest(request.body ?? nothing)) {
      throw new UnsignedRequestError('Content-Digest is missing or is not that of the body; sign what is sent')
    }
    const { keyid, nonce, created } = await this.#verified(describe(request, fieldsOf(headers)))
    const now = Math.floor(this.#now() / 1000)
    // Remembered past the end of the window on both clocks, else a request could be replayed in between.
    if (!this.#nonces.use(keyid, nonce, created + 2 * WINDOW, now)) {
      throw new UnsignedRequestError('this signed request was sent before; sign each with a nonce of its own')
    }
    return keyid
  }

  async #verified(message: RequestDescriptor): Promise<{ keyid: NodeId; nonce: string; created: number }> {
    try {
      const { parameters } = await verifySignature(message, {
        label: LABEL,
        policy: {
          algorithms: ['ed25519'],
          requiredComponents: COMPONENTS,
          requiredParameters: ['created', 'keyid', 'nonce'],
          maxAge: WINDOW,
          clockSkew: WINDOW,
          now: Math.floor(this.#now() / 1000),
        },
        resolveVerifier: ({ parameters: { keyid } }) => this.#verifierOf(keyid),
      })
      const { keyid, nonce, created } = parameters
      if (keyid === undefined || created === undefined || nonce === undefined || !NONCE.test(nonce)) {
        throw new UnsignedRequestError('the nonce must be 16 to 64 characters of base64url')
      }
      return { keyid, nonce, created }
    } catch (cause) {
      if (!isSignatureError(cause)) throw cause
      if (cause.cause instanceof UnsignedRequestError) throw cause.cause
      throw new UnsignedRequestError(`the request's signature does not hold (${cause.code}); check key and clock`, {
        cause,
      })
    }
  }

  #verifierOf(keyid: string | undefined) {
    if (keyid === undefined || !nodeIdSchema.safeParse(keyid).success || !this.#admits(keyid)) {
      throw new UnsignedRequestError('the request is signed by a node that is not admitted here')
    }
    return {
      algorithm: 'ed25519',
      verify: (data: Uint8Array, signature: Uint8Array) => this.#verifier.verify(keyid, data, signature),
    }
  }
}

function describe(request: NodeRequest, fields: FieldOccurrence[]): RequestDescriptor {
  return { kind: 'request', method: request.method, targetUri: request.url, fields }
}

function fieldsOf(headers: IncomingHeaders): FieldOccurrence[] {
  return ['content-digest', 'signature', 'signature-input'].flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' && value.length <= 2000 ? [{ name, value }] : []
  })
}
