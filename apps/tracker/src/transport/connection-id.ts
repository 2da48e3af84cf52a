import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const windowMs = 60_000

/**
 * The ids of BEP 15, which prove that a sender receives what is sent to its address: a spoofed address never learns
 * one, so this tracker cannot be aimed at a third party. Nothing is stored; an id is good for one to two minutes.
 */
export class ConnectionIds {
  readonly #secret = randomBytes(32)
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  issue(address: string, port: number): Buffer {
    return this.#of(address, port, this.#window())
  }

  isValid(id: Buffer, address: string, port: number): boolean {
    const window = this.#window()
    return [window, window - 1].some((one) => timingSafeEqual(id, this.#of(address, port, one)))
  }

  #window(): number {
    return Math.floor(this.#now() / windowMs)
  }

  #of(address: string, port: number, window: number): Buffer {
    return createHmac('sha256', this.#secret).update(`${address} ${port} ${window}`).digest().subarray(0, 8)
  }
}
