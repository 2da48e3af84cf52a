import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { InvalidInputError } from '@eldernode/core'
import type { AnswerStore } from '../../library/index.ts'
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from '../errors.ts'

/** An answer as it was given. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

const keepMs = 86_400_000
/** Of an item of 10,000 files. */
const mostBytes = 8 * 1024 * 1024
const ivBytes = 12
const tagBytes = 16

/**
 * The key of an `Idempotency-Key` header: a string of RFC 8941, or the same without its quotes.
 * @throws InvalidInputError
 */
export function parseKey(header: string): string {
  const [, quoted, plain] = /^(?:"([ !#-[\]-~]{1,255})"|([!#-+\--[\]-~]{1,255}))$/.exec(header.trim()) ?? []
  const key = quoted ?? plain
  if (key === undefined)
    throw new InvalidInputError('Idempotency-Key is not valid: 1 to 255 characters of ASCII, best a UUID.')
  return key
}

/**
 * Answers to requests with an Idempotency-Key, so that one that is sent again is not done again. They outlive a restart.
 * An answer may have a secret in it, a new token for one: it is encrypted with the key, which is not kept.
 */
export class KeptAnswers {
  readonly #store: AnswerStore
  readonly #now: () => number
  readonly #running = new Set<string>()

  constructor(store: AnswerStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** Has the key to itself until `end`. @throws IdempotencyKeyInUseError */
  begin(owner: string, key: string): Once {
    const id = createHash('sha256')
      .update(JSON.stringify([owner, key]))
      .digest()
    const name = id.toString('hex')
    if (this.#running.has(name)) throw new IdempotencyKeyInUseError()
    this.#running.add(name)
    return new Once({ id, key, store: this.#store, now: this.#now, ended: () => this.#running.delete(name) })
  }
}

interface OnceParts {
  id: Buffer
  key: string
  store: AnswerStore
  now: () => number
  ended(): void
}

/** One request with a key. */
export class Once {
  readonly #parts: OnceParts
  #print: Buffer | undefined

  constructor(parts: OnceParts) {
    this.#parts = parts
  }

  /** Whether a request with this key was answered. */
  get isKnown(): boolean {
    const { id, store, now } = this.#parts
    return store.get(id, now()) !== undefined
  }

  /**
   * Says what tells the request from others.
   * @returns the answer that it got before. @throws IdempotencyKeyReusedError when another request had this key
   */
  match(request: string | Uint8Array): Answer | undefined {
    const { id, key, store, now } = this.#parts
    this.#print = createHmac('sha256', key).update(request).digest()
    const kept = store.get(id, now())
    if (kept === undefined) return undefined
    if (Buffer.compare(this.#print, kept.request) !== 0) throw new IdempotencyKeyReusedError()
    return this.#open(kept.box)
  }

  /** Durable when it resolves. */
  async keep(answer: Answer): Promise<void> {
    const { id, store, now } = this.#parts
    if (this.#print === undefined || Buffer.byteLength(answer.body) > mostBytes) return
    const box = this.#seal(answer)
    await store.keep({ id, request: this.#print, box, expiresAt: now() + keepMs }, now())
  }

  end(): void {
    this.#parts.ended()
  }

  get #secret(): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#parts.key, this.#parts.id, 'eldernode kept answer', 32))
  }

  #seal(answer: Answer): Buffer {
    const iv = randomBytes(ivBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#secret, iv)
    const text = Buffer.concat([cipher.update(JSON.stringify(answer)), cipher.final()])
    return Buffer.concat([iv, cipher.getAuthTag(), text])
  }

  #open(box: Uint8Array): Answer {
    const decipher = createDecipheriv('aes-256-gcm', this.#secret, box.subarray(0, ivBytes))
    decipher.setAuthTag(box.subarray(ivBytes, ivBytes + tagBytes))
    const text = Buffer.concat([decipher.update(box.subarray(ivBytes + tagBytes)), decipher.final()])
    return JSON.parse(text.toString()) as Answer
  }
}
