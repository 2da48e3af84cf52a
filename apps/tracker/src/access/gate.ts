import type { Passkeys } from './passkeys.ts'
import { type Gate, type Listing, noKey, unsureKey, wrongKey } from './port.ts'

export type AccessMode = 'open' | 'listed' | 'private'

export interface AccessGateOptions {
  mode: AccessMode
  /** In listed mode: what one of these holds is served. */
  listed: readonly Listing[]
  /** In every mode: what one of these holds is not. */
  denied: readonly Listing[]
  keys: Passkeys
  /** Whether the lists tell all there is: until then what is not listed may come still. */
  areListsReady: () => boolean
  /** Whether all keys are known: until then any may be right. */
  areKeysReady: () => boolean
}

const refusals = {
  denied: 'this torrent is denied by this tracker',
  unlisted: 'this tracker does not serve this torrent',
  notReady: 'this tracker has just started and does not know yet whom to serve: try again in a minute',
  key: 'this tracker needs the passkey that is part of a personal announce URL',
}

/** To those who cannot help it: over UDP many clients send no path. */
const noneSent = `${refusals.key}, and this client sent none: use its http or https URL`

/** How often each reason was given. */
export type Refused = Record<keyof typeof refusals, number>

export class AccessGate implements Gate {
  readonly refused: Refused = { denied: 0, unlisted: 0, notReady: 0, key: 0 }
  readonly #options: AccessGateOptions
  readonly #isListed: boolean
  readonly #isPrivate: boolean

  constructor(options: AccessGateOptions) {
    this.#options = options
    this.#isListed = options.mode === 'listed'
    this.#isPrivate = options.mode === 'private'
  }

  keyOf(passkey: string): number {
    if (!this.#isPrivate) return noKey
    const { keys, areKeysReady } = this.#options
    const key = keys.find(passkey)
    return key === wrongKey && !areKeysReady() ? unsureKey : key
  }

  refusalOfKey(key: number): string {
    if (!this.#isPrivate || this.#options.keys.has(key)) return ''
    const refusal = this.#refuse(key === unsureKey ? 'notReady' : 'key')
    return key === noKey ? noneSent : refusal
  }

  refusalOf(infoHash: Int32Array, key: number): string {
    if (this.#isPrivate) {
      const refusal = this.refusalOfKey(key)
      if (refusal !== '') return refusal
    }
    const { denied, listed, areListsReady } = this.#options
    if (isIn(denied, infoHash)) return this.#refuse('denied')
    if (!this.#isListed || isIn(listed, infoHash)) return ''
    return this.#refuse(areListsReady() ? 'unlisted' : 'notReady')
  }

  /** Whether peers of this torrent may stay. While it is not known yet, they may. */
  serves(infoHash: Int32Array): boolean {
    const { denied, listed, areListsReady } = this.#options
    return !isIn(denied, infoHash) && (!this.#isListed || isIn(listed, infoHash) || !areListsReady())
  }

  #refuse(reason: keyof Refused): string {
    this.refused[reason]++
    return refusals[reason]
  }
}

const isIn = (lists: readonly Listing[], infoHash: Int32Array): boolean => {
  for (let i = 0; i < lists.length; i++) if ((lists[i] as Listing).has(infoHash)) return true
  return false
}
