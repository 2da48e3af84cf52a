import type { IceServer } from 'node-datachannel'
import { iceServer } from './ice-servers.ts'

/** Milliseconds that candidates of this machine may take: they are there at once. */
const ownPatience = 150

/** Milliseconds: one round trip to a STUN server, and two to a TURN server, after the name of either was looked up. */
const [stunPatience, turnPatience] = [1_000, 2_000]

/** Milliseconds for which a server that did not answer is left out. */
const silenceAfter = 60_000

interface Known {
  readonly server: IceServer
  readonly isTurn: boolean
  /** It did not answer: left out until then. */
  silentUntil: number
  /** It did not answer the last time. */
  failed: boolean
}

/** The servers that one connection asks, and how long it waits for them. */
export interface Choice {
  readonly servers: IceServer[]
  /** Milliseconds. */
  readonly patience: number
  /** Tells what came of it: the description, and whether it is `complete`. */
  told(sdp: string, complete: boolean): void
}

/**
 * Which STUN and TURN servers a connection asks: one of each kind, so that it is known who was silent, and those in
 * turn. There is one message each way, so a description waits for them; a server that does not answer is waited for
 * once, and then by one connection a minute.
 */
export class ServerChoice {
  readonly #known: Known[]
  readonly #now: () => number

  /** @throws InvalidInputError when an ICE server is none */
  constructor(urls: readonly string[], now: () => number) {
    this.#known = urls.map((url) => {
      const server = iceServer(url)
      return { server, isTurn: server.relayType !== undefined, silentUntil: -Infinity, failed: false }
    })
    this.#now = now
  }

  choose(): Choice {
    const [stun, turn] = [this.#take(false), this.#take(true)]
    const chosen = [stun, turn].filter((known) => known !== undefined)
    let patience = ownPatience
    if (stun !== undefined) patience = stunPatience
    if (turn !== undefined) patience = turnPatience
    return {
      servers: chosen.map(({ server }) => server),
      patience,
      told: (sdp, complete) => {
        const relayed = / typ relay\b/.test(sdp)
        // A TURN server tells this node's own address, too.
        const silentStun = relayed || !/ typ srflx\b/.test(sdp) || turn === undefined
        if (stun !== undefined) this.#note(stun, !complete && silentStun)
        if (turn !== undefined) this.#note(turn, !complete && !relayed)
      },
    }
  }

  #take(isTurn: boolean): Known | undefined {
    const index = this.#known.findIndex((known) => known.isTurn === isTurn && known.silentUntil <= this.#now())
    const [known] = index < 0 ? [] : this.#known.splice(index, 1)
    if (known === undefined) return undefined
    this.#known.push(known)
    // Nobody else waits while it is found out whether it answers again.
    if (known.failed) known.silentUntil = this.#now() + silenceAfter
    return known
  }

  #note(known: Known, silent: boolean): void {
    known.failed = silent
    known.silentUntil = silent ? this.#now() + silenceAfter : -Infinity
  }
}
