export interface GateOptions {
  links(): readonly { inSync: boolean }[]
  /** Whether this node dials others at all; one that does not waits for nobody. */
  dials: boolean
  /** Called once when the graph can be believed, and once when the quiet time after the start is over. */
  moved(): void
}

const askEveryMs = 250
/** For the heartbeats that follow the values over a link that just came in step. */
const lingerMs = 1_000
/** After a start a node repairs nothing for so long; and it waits no longer for links either. */
const quietMs = 60_000

/** When, after a start, this node may act on what it sees of the network. */
export class Gate {
  readonly #options: GateOptions
  #poll: NodeJS.Timeout | undefined
  #linger: NodeJS.Timeout | undefined
  #quiet: NodeJS.Timeout | undefined
  #inStep = false
  #settled = false

  constructor(options: GateOptions) {
    this.#options = options
  }

  get inStep(): boolean {
    return this.#inStep
  }

  get settled(): boolean {
    return this.#settled
  }

  start(): void {
    this.#poll = setInterval(() => this.#look(), askEveryMs)
    this.#quiet = setTimeout(() => {
      this.#settled = true
      this.#open()
    }, quietMs)
    this.#look()
  }

  close(): void {
    clearInterval(this.#poll)
    clearTimeout(this.#linger)
    clearTimeout(this.#quiet)
  }

  #look(): void {
    if (this.#options.dials && !this.#options.links().some(({ inSync }) => inSync)) return
    clearInterval(this.#poll)
    this.#linger ??= setTimeout(() => this.#open(), lingerMs)
  }

  #open(): void {
    clearInterval(this.#poll)
    clearTimeout(this.#linger)
    this.#inStep = true
    this.#options.moved()
  }
}
