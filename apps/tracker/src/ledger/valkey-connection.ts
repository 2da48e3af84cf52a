import { createClient } from '@redis/client'
import { LedgerAwayError, LedgerRefusedError } from './errors.ts'
import { storeKeys } from './valkey-scripts.ts'

const connectMs = 2000

/** Milliseconds until the next attempt; never all machines at once. */
const reconnectMs = (): number => 200 + Math.random() * 400

/** What a server says to who has not the right password or number; all else may pass. */
const refusal = /^(WRONGPASS|NOAUTH|NOPERM|ERR (DB index|invalid DB|AUTH|Client sent AUTH))/

const start = (url: string, onError: (error: Error) => void) => {
  const client = createClient({
    url,
    RESP: 2,
    // What could not be sent at once must not be sent an hour later.
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    socket: { connectTimeout: connectMs, reconnectStrategy: reconnectMs },
  })
  client.on('error', onError)
  // It tries until it is destroyed.
  client.connect().catch(onError)
  return client
}

/** One connection to a Valkey or Redis server, which may go away and come back at any time. */
export class ValkeyConnection {
  readonly #url: string
  /** Without user and password. */
  readonly #where: string
  readonly #answerMs: number
  #client: ReturnType<typeof start> | undefined
  #lastError: Error | undefined

  constructor(url: string, answerMs: number) {
    this.#url = url
    this.#answerMs = answerMs
    this.#where = new URL(url).host
  }

  /** Resolves when the server answers, or after some seconds when it does not. @throws LedgerRefusedError */
  async open(): Promise<void> {
    const client = (this.#client ??= this.#start())
    if (client.isReady) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(resolve, connectMs)
      client.once('ready', resolve)
      client.on('error', (error: Error) => {
        if (refusal.test(error.message)) reject(new LedgerRefusedError(this.#where, error))
      })
    }).finally(() => clearTimeout(timer))
  }

  /** Runs a script on the ledger's keys and those that are given. @throws LedgerAwayError */
  async run(script: string, args: readonly (string | number)[], ...keys: string[]): Promise<unknown> {
    const client = (this.#client ??= this.#start())
    if (!client.isReady) throw new LedgerAwayError(this.#where, { cause: this.#reason })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#drop(client)
        reject(new Error(`no answer within ${this.#answerMs} ms`))
      }, this.#answerMs)
    })
    try {
      const answer = client.eval(script, { keys: [...storeKeys, ...keys], arguments: args.map(String) })
      return await Promise.race([answer, late])
    } catch (error) {
      throw new LedgerAwayError(this.#where, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  get #reason(): Error {
    const error = this.#lastError ?? new Error('no answer yet')
    if (!this.#url.startsWith('rediss:') || !/^(no answer yet|Connection timeout)$/.test(error.message)) return error
    return new Error('no TLS: if the server speaks none, write redis:// instead of rediss://')
  }

  close(): void {
    if (this.#client !== undefined) this.#drop(this.#client)
  }

  #start(): ReturnType<typeof start> {
    return start(this.#url, (error) => {
      this.#lastError = error
    })
  }

  #drop(client: ReturnType<typeof start>): void {
    if (this.#client === client) this.#client = undefined
    client.destroy()
  }
}
