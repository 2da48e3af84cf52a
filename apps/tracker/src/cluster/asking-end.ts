import { connect, type Socket } from 'node:net'
import type { Asked, NearSocket, Sender } from '../transport/index.ts'
import { FrameReader, type Says, says } from './frames.ts'
import { Outlet } from './outlet.ts'

type Answered = (payload: Buffer | undefined) => void

const soonestDialMs = 20
const latestDialMs = 100

/** What this worker has another one do: asks, waits for answers, and speaks for its own WebSockets. */
export class AskingEnd {
  readonly #path: string
  readonly #onError: (error: Error) => void
  #socket: Socket | undefined
  #outlet: Outlet | undefined
  #timer: NodeJS.Timeout | undefined
  #wait = soonestDialMs
  #isOver = false
  #lastAsked = 0
  /** Who waits for an answer, and for how long already: one turn of `tick`, or more. */
  #asked = new Map<number, Answered>()
  #askedBefore = new Map<number, Answered>()
  #lastSocket = 0
  readonly #numbers = new Map<NearSocket, number>()
  readonly #sockets = new Map<number, NearSocket>()

  /** @param path the Unix domain socket of the other worker */
  constructor(path: string, onError: (error: Error) => void) {
    this.#path = path
    this.#onError = onError
  }

  get isUp(): boolean {
    return this.#outlet !== undefined
  }

  /** Dials until it is told to stop, and again whenever the other worker is gone. */
  start(connected: () => void): void {
    const socket = connect(this.#path)
    const reader = new FrameReader()
    this.#socket = socket
    socket.on('connect', () => {
      this.#outlet = new Outlet(socket)
      this.#wait = soonestDialMs
      connected()
    })
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.read(chunk, (kind, id, payload) => this.#heard(kind, id, payload))
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    // A worker that is gone, or not there yet.
    socket.on('error', (error) => this.isUp && this.#onError(error))
    socket.on('close', () => {
      this.#lost()
      if (this.#isOver) return
      this.#timer = setTimeout(() => this.start(connected), this.#wait)
      this.#wait = Math.min(this.#wait * 2, latestDialMs)
    })
  }

  stop(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#socket?.destroy()
  }

  /** To be called every few seconds: who has waited since the call before last waits in vain. */
  tick(): void {
    const late = this.#askedBefore
    this.#askedBefore = this.#asked
    this.#asked = new Map()
    for (const answered of late.values()) answered(undefined)
  }

  pass(packet: Buffer, { address, port }: Sender): void {
    const frame = this.#outlet?.begin(says.packet, port)
    if (frame === undefined) return
    frame.int(address.length)
    frame.text(address)
    frame.put(packet)
    this.#outlet?.end()
  }

  ask({ search, kind, address, key }: Asked, answered: Answered): void {
    const frame = this.#ask(says.ask, answered)
    if (frame === undefined) return
    frame.int(kind)
    for (let i = 0; i < 4; i++) frame.int(address[i] as number)
    frame.int(key)
    frame.text(search)
    this.#outlet?.end()
  }

  count(infoHashes: readonly Int32Array[], key: number, answered: Answered): void {
    const frame = this.#ask(says.count, answered)
    if (frame === undefined) return
    frame.int(key)
    for (const words of infoHashes) for (let i = 0; i < 5; i++) frame.int(words[i] as number)
    this.#outlet?.end()
  }

  read(name: string, answered: Answered): void {
    const frame = this.#ask(says.read, answered)
    if (frame === undefined) return
    frame.text(name)
    this.#outlet?.end()
  }

  say(socket: NearSocket, text: string): boolean {
    const frame = this.#outlet?.begin(says.say, this.#numberOf(socket))
    frame?.text(text)
    if (frame !== undefined) this.#outlet?.end()
    return frame !== undefined
  }

  gone(socket: NearSocket): void {
    const number = this.#numbers.get(socket)
    if (number === undefined) return
    this.#numbers.delete(socket)
    this.#sockets.delete(number)
    this.#outlet?.must(says.gone, number)
    this.#outlet?.end()
  }

  #numberOf(socket: NearSocket): number {
    const known = this.#numbers.get(socket)
    if (known !== undefined || this.#outlet === undefined) return known ?? 0
    do this.#lastSocket = (this.#lastSocket + 1) >>> 0
    while (this.#sockets.has(this.#lastSocket))
    const number = this.#lastSocket
    this.#numbers.set(socket, number)
    this.#sockets.set(number, socket)
    const { kind, high, low, isMember, key } = socket.from
    const frame = this.#outlet.must(says.open, number)
    for (const word of [kind, high, low, Number(isMember), key]) frame.int(word)
    this.#outlet.end()
    return number
  }

  /** @returns the frame to be filled, or undefined when it cannot be asked, and was told so */
  #ask(kind: Says, answered: Answered): ReturnType<Outlet['begin']> {
    this.#lastAsked = (this.#lastAsked + 1) >>> 0
    const frame = this.#outlet?.begin(kind, this.#lastAsked)
    if (frame === undefined) answered(undefined)
    else this.#asked.set(this.#lastAsked, answered)
    return frame
  }

  #heard(kind: Says, id: number, payload: Buffer): void {
    if (kind === says.tell) return this.#sockets.get(id)?.send(payload.toString('latin1'))
    if (kind === says.refuse) return this.#sockets.get(id)?.refuse(payload.toString('latin1'))
    const asked = this.#asked.has(id) ? this.#asked : this.#askedBefore
    const answered = asked.get(id)
    asked.delete(id)
    answered?.(payload)
  }

  #lost(): void {
    this.#outlet = undefined
    this.#numbers.clear()
    this.#sockets.clear()
    const all = [...this.#askedBefore.values(), ...this.#asked.values()]
    this.#askedBefore.clear()
    this.#asked.clear()
    for (const answered of all) answered(undefined)
  }
}
