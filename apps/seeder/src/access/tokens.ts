import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { AdminToken } from '@eldernode/member/keys'
import type { TokenRecord, TokenStore } from '../library/index.ts'
import { type Caller, operator } from './caller.ts'
import { TokenNotFoundError, TooManyTokensError } from './errors.ts'
import { type Scope, scopeSchema } from './scopes.ts'

const mostTokens = 10_000
/** One that expired is shown for so long, so that its bearer's complaint can be understood. */
const keepExpiredMs = 30 * 86_400_000
/** The id tells which token it is, and is no secret; what follows it is. */
const form = /^en_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/

export interface TokensOptions {
  store: TokenStore
  /** The one in admin.token. */
  admin: AdminToken
  /** Whether there is a grant of that item for that age recipient. */
  granted(infoHash: string, reader: string): boolean
  now: () => number
}

/** What a token is good for. */
export interface TokenTerms {
  owner: string
  label: string
  scopes: Scope[]
  /** An age recipient; its grants let the bearer read private items of others. */
  reader?: string | undefined
  /** Milliseconds since 1970. */
  expiresAt?: number | undefined
}

/** A token as it may be shown. */
export type TokenInfo = TokenTerms & Pick<TokenRecord, 'id' | 'createdAt'>

/** The bearer tokens (RFC 6750) of the API. Only hashes are kept, and comparing takes the same time for every guess. */
export class Tokens {
  readonly #options: TokensOptions

  constructor(options: TokensOptions) {
    this.#options = options
  }

  /** Whose token that is. @returns undefined for one that was never made, was revoked or has expired */
  find(text: string): Caller | undefined {
    const { store, admin, now } = this.#options
    const hash = digest(text)
    const record = store.get(form.exec(text)?.[1] ?? '')
    const isRight = timingSafeEqual(record?.hash ?? hash, hash) && record !== undefined
    if (admin.matches(text)) return operator
    if (!isRight || (record.expiresAt ?? Infinity) <= now()) return undefined
    return this.#callerOf(record)
  }

  /** @returns the token itself, which nobody can see again, and what is kept of it. @throws TooManyTokensError */
  create({ owner, label, scopes, reader, expiresAt }: TokenTerms): { token: string; info: TokenInfo } {
    const { store, now } = this.#options
    store.removeExpired(now() - keepExpiredMs)
    if (store.count() >= mostTokens) throw new TooManyTokensError(mostTokens)
    const id = randomBytes(8).toString('hex')
    const token = `en_${id}_${randomBytes(32).toString('base64url')}`
    const record: TokenRecord = {
      id,
      hash: digest(token),
      owner,
      label,
      scopes: [...new Set(scopes)],
      ...(reader !== undefined && { reader }),
      createdAt: now(),
      ...(expiresAt !== undefined && { expiresAt }),
    }
    store.add(record)
    return { token, info: infoOf(record) }
  }

  /** The newest first. */
  list(): TokenInfo[] {
    return this.#options.store.list().map(infoOf)
  }

  /** From here on the token is good for nothing. @returns whose it was. @throws TokenNotFoundError */
  revoke(id: string): string {
    const { store } = this.#options
    const record = store.get(id)
    if (record === undefined || !store.remove(id)) throw new TokenNotFoundError(id)
    return record.owner
  }

  /** Whether an owner could ask for that now: one of its tokens is neither revoked nor expired. The operator always can. */
  permits(owner: string, scope: Scope): boolean {
    if (owner === '') return true
    const { store, now } = this.#options
    return store.of(owner).some((record) => (record.expiresAt ?? Infinity) > now() && this.#callerOf(record).can(scope))
  }

  #callerOf(record: TokenRecord): Caller {
    const { owner, scopes: list, reader, id: token, expiresAt } = infoOf(record)
    const scopes = new Set(list)
    const admin = scopes.has('node:admin')
    return {
      owner,
      scopes,
      admin,
      token,
      ...(expiresAt !== undefined && { expiresAt }),
      can: (scope) => admin || scopes.has(scope),
      reads: (infoHash) => reader !== undefined && this.#options.granted(infoHash, reader),
    }
  }
}

/** A scope of another version of this program is good for nothing here. */
function infoOf({ hash: _hash, scopes, ...info }: TokenRecord): TokenInfo {
  return { ...info, scopes: scopeSchema.options.filter((scope) => scopes.includes(scope)) }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
