import type { NodeId } from '../identity/index.ts'
import { limits } from './limits.ts'
import type { Socket } from './port.ts'
import { Rate } from './rate.ts'
import type { Turn } from './turn.ts'
import type { GunPeer } from './wire/gun.ts'

/** Refusals that happen between honest nodes too: races of gossip, membership on its way, another version. */
const honest: ReadonlySet<string> = new Set(
  'stale stranger holder revoked quota future future_timestamp old_heartbeat check_rate schema body late_answer hidden compat_rate compat_size compat_own'.split(
    ' ',
  ),
)

/** Why a link ended, told to the other side (RFC 6455: 4000 to 4999 are private codes). */
export const closeCodes = { policy: 1008, size: 1009, network: 4001, self: 4002, duplicate: 4003 } as const

export interface LinkOptions {
  id: string
  socket: Socket
  /** Set when this node dialled. */
  address: string | undefined
  now: () => number
  turn: Turn
  /** The start of every soul of what is not public. */
  hiddenPrefix: string
  /** Whether a node is a member at this moment. */
  isMember(node: NodeId): boolean
  /** Handles one message; the next one waits until it is done. */
  onText(text: string, link: Link): void | Promise<void>
  onEnd(link: Link, code: number): void
  onRefused(reason: string): void
  /** Told of a failure of this node's own code; the link goes on. */
  onFault(error: unknown): void
}

/** One WebSocket with what is known about its other end, and its allowances. GUN sees it as a peer. */
export class Link implements GunPeer {
  readonly id: string
  /** Where it was dialled. Not named `url`: GUN would tell it to all others and keep time-outs for it. */
  readonly address: string | undefined
  readonly wire = {}
  /** The node at the other end, once it proved its key. */
  node: NodeId | undefined
  /** Whether that node is a member at present: it gets the larger allowances. */
  member = false
  /** Whether GUN has been told of it. */
  joined = false
  readonly since: number
  inSync = false
  /** Gossip was left out because too much waits to be sent; sums make up for it. */
  behind = false
  closed = false
  readonly #options: LinkOptions
  readonly #inbox: string[] = []
  #inboxSize = 0
  #busy = false
  #paused = false
  readonly #messages: Rate
  readonly #bytes: Rate
  readonly #checks: Rate
  readonly #asks: Rate
  readonly #strikes: Rate
  readonly #writes: Rate

  constructor(options: LinkOptions) {
    const { id, socket, address, now } = options
    this.#options = options
    this.id = id
    this.address = address
    this.since = now()
    this.#messages = new Rate(limits.messagesPerSecond, limits.messageBurst, now)
    this.#bytes = new Rate(limits.bytesPerSecond, limits.byteBurst, now)
    this.#checks = new Rate(limits.checksPerSecond, limits.checkBurst, now)
    this.#asks = new Rate(limits.asksPerSecond, limits.askBurst, now)
    this.#writes = new Rate(limits.writesPerSecond, limits.writeBurst, now)
    this.#strikes = new Rate(1, limits.strikes, now)
    socket.onMessage((text) => this.#receive(text))
    socket.onClose((code) => {
      if (!this.closed && code === closeCodes.size) options.onRefused('text')
      this.#end(code)
    })
  }

  get dialled(): boolean {
    return this.address !== undefined
  }

  get queued(): number {
    return this.#options.socket.bufferedAmount
  }

  /** GUN's way out: gossip and replies, which a member that reads too slowly gets later by sums. */
  say(raw: string): void {
    // Whatever GUN makes of its tables: no text with a soul of what is not public leaves to who may not know of it.
    if (raw.includes(this.#options.hiddenPrefix) && !this.seesHidden()) return this.#options.onRefused('hidden_out')
    if (this.member && this.queued > limits.behind) this.behind = true
    else this.send(raw)
  }

  bye(): void {
    // GUN takes leave of the peer; the socket is not GUN's.
  }

  send(text: string): void {
    if (this.closed) return
    if (this.queued > (this.member ? limits.queued : limits.strangerQueued)) {
      this.#options.onRefused('backpressure')
      return this.cut()
    }
    this.#options.socket.send(text)
  }

  /** Whether the other end has proven to be a member, and still is: only then it is shown what is not public. */
  seesHidden(): boolean {
    return this.node !== undefined && !this.closed && this.#options.isMember(this.node)
  }

  /** Whether the link may cause one more signature check. */
  readonly maySpendCheck = (): boolean => this.member || this.#checks.take()

  /** Whether the link may write one more value of a public map. */
  readonly mayWrite = (): boolean => this.member || this.#writes.take()

  /** Whether the link may be served one more request that reads the store. */
  mayAsk(): boolean {
    return this.member || this.#asks.take()
  }

  /** Counts a broken rule; too many of the kind that honest nodes never break end the link. */
  readonly refuse = (reason: string): undefined => {
    this.#options.onRefused(reason)
    if (!honest.has(reason) && !this.#strikes.take()) this.close(closeCodes.policy)
  }

  close(code: number): void {
    if (this.closed) return
    this.#end(code)
    this.#options.socket.close(code)
  }

  /** Ends the link at once, without a closing handshake. */
  cut(): void {
    if (this.closed) return
    this.#end(1006)
    this.#options.socket.terminate()
  }

  #end(code: number): void {
    if (this.closed) return
    this.closed = true
    this.#inbox.length = 0
    this.#options.onEnd(this, code)
  }

  #receive(text: string): void {
    if (this.closed) return
    if (text.length > limits.text) {
      this.refuse('text')
      return this.close(closeCodes.size)
    }
    if (!this.member && !(this.#messages.take() && this.#bytes.take(text.length))) return this.refuse('rate')
    if (!this.#busy && this.#inbox.length === 0 && this.#options.turn.has(this.#resume)) return this.#handle(text)
    this.#inbox.push(text)
    this.#inboxSize += text.length
    if (this.#inboxSize > limits.inbox) this.#holdBack()
  }

  #handle(text: string): void {
    const { onText, onFault } = this.#options
    try {
      const handled = onText(text, this)
      if (!(handled instanceof Promise)) return
      this.#busy = true
      void handled.catch(onFault).then(() => {
        this.#busy = false
        this.#drain()
      })
    } catch (error) {
      // Whatever a message sets off, it must not reach the socket's event and with it the process.
      onFault(error)
    }
  }

  readonly #resume = (): void => this.#drain()

  #drain(): void {
    while (!this.#busy && !this.closed && this.#inbox.length > 0 && this.#options.turn.has(this.#resume)) {
      const next = this.#inbox.shift()
      if (next === undefined) break
      this.#inboxSize -= next.length
      this.#handle(next)
    }
    if (this.#paused && this.#inboxSize < limits.inbox / 2) {
      this.#paused = false
      this.#options.socket.resume?.()
    }
  }

  #holdBack(): void {
    const { socket } = this.#options
    if (socket.pause === undefined || this.#inboxSize > 2 * limits.inbox) {
      this.refuse('inbox')
      this.cut()
    } else if (!this.#paused) {
      this.#paused = true
      socket.pause()
    }
  }
}
