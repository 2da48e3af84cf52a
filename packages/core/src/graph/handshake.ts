import { fromBase64url, toBase64url } from '../identity/index.ts'
import type { Identity, NodeId, Verifier } from '../identity/index.ts'
import type { Frame, Hello } from './frames.ts'

export interface HandshakeOptions {
  network: string
  identity: Identity
  verifier: Verifier
  /** Whether this side dialled: it speaks first, so that stock GUN clients never see a frame. */
  dialled: boolean
  send(frame: Frame): void
}

/** Why a handshake failed; `self` is a node that dialled its own address. */
export type HandshakeFailure = 'network' | 'self' | 'proof' | 'order'

type Step = { done: NodeId } | { failed: HandshakeFailure } | undefined

/**
 * Mutual proof of node keys. Both sides sign the network, both ids, both nonces and their own side, after a text that
 * begins no envelope: a proof fits this link in this direction only and is good for nothing else.
 */
export class Handshake {
  readonly #options: HandshakeOptions
  readonly #nonce = toBase64url(crypto.getRandomValues(new Uint8Array(32)))
  #other: Hello | undefined
  #over = false

  constructor(options: HandshakeOptions) {
    this.#options = options
  }

  /** The dialling side's first word. */
  begin(): void {
    this.#options.send(this.#hello())
  }

  /** @returns the other side's proven id once it is proven, why the handshake failed, or nothing yet */
  async take(frame: Extract<Frame, { en: 'hello' | 'proof' }>): Promise<Step> {
    const { network, identity, dialled, send } = this.#options
    if (this.#over) return { failed: 'order' }
    if (frame.en === 'proof') {
      if (dialled || this.#other === undefined) return { failed: 'order' }
      return await this.#verify(this.#other, frame.proof)
    }
    if (this.#other !== undefined) return { failed: 'order' }
    if (frame.network !== network) return { failed: 'network' }
    if (frame.id === identity.id) return { failed: 'self' }
    this.#other = frame
    if (!dialled) {
      send({ ...this.#hello(), proof: await this.#sign(frame) })
      return undefined
    }
    if (frame.proof === undefined) return { failed: 'proof' }
    const step = await this.#verify(frame, frame.proof)
    if (step !== undefined && 'done' in step) send({ en: 'proof', proof: await this.#sign(frame) })
    return step
  }

  #hello(): Hello {
    const { network, identity } = this.#options
    return { en: 'hello', v: 1, network, id: identity.id, nonce: this.#nonce }
  }

  async #sign(other: Hello): Promise<string> {
    return toBase64url(await this.#options.identity.sign(this.#transcript(other, this.#options.dialled)))
  }

  async #verify(other: Hello, proof: string): Promise<Step> {
    this.#over = true
    const message = this.#transcript(other, !this.#options.dialled)
    const valid = await this.#options.verifier.verify(other.id, message, fromBase64url(proof))
    return valid ? { done: other.id } : { failed: 'proof' }
  }

  #transcript(other: Hello, byDialler: boolean): Uint8Array {
    const { network, identity, dialled } = this.#options
    const own = [identity.id, this.#nonce]
    const others = [other.id, other.nonce]
    const lines = ['eldernode link v1', byDialler ? 'dialler' : 'acceptor', network]
    return new TextEncoder().encode([...lines, ...(dialled ? [...own, ...others] : [...others, ...own])].join('\n'))
  }
}
