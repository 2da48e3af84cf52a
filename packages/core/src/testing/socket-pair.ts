import type { Socket } from '../graph/port.ts'

/** Two ends of a socket in memory: what is sent at one arrives at the other in order, in a later task. */
export function socketPair(): [Socket, Socket] {
  const a = new End()
  const b = new End()
  a.other = b
  b.other = a
  return [a, b]
}

class End implements Socket {
  other: End | undefined
  bufferedAmount = 0
  #closed: number | undefined
  #onMessage: ((text: string) => void) | undefined
  readonly #onClose: ((code: number) => void)[] = []

  send(text: string): void {
    const { other } = this
    this.bufferedAmount += text.length
    setTimeout(() => {
      this.bufferedAmount -= text.length
      if (other !== undefined && other.#closed === undefined) other.#onMessage?.(text)
    }, 0)
  }

  close(code = 1005): void {
    const { other } = this
    if (other !== undefined) setTimeout(() => other.#end(code), 0)
    this.#end(code)
  }

  terminate(): void {
    this.close(1006)
  }

  onMessage(listener: (text: string) => void): void {
    this.#onMessage = listener
  }

  onClose(listener: (code: number) => void): void {
    if (this.#closed === undefined) this.#onClose.push(listener)
    else listener(this.#closed)
  }

  #end(code: number): void {
    if (this.#closed !== undefined) return
    this.#closed = code
    for (const listener of this.#onClose) listener(code)
  }
}
