import { Gun } from './gun.ts'
import { messageId } from './message.ts'
import type { GunHeard, GunMessage, GunPeer, GunPut, GunRoot } from './gun.ts'

/** Bytes that GUN gathers into one frame before it sends the next on its own. */
const frameBytes = 64 << 10

class NoSocket {
  constructor() {
    throw new Error('GUN opens no sockets; the supervisor dials')
  }
}

/** A request to read one soul, or one key of it. */
export interface Get {
  id: string
  soul: string
  key: string | undefined
  peer: GunPeer
}

/**
 * GUN reduced to its wire: it parses nothing, stores nothing, dials nobody and answers nobody. It hears messages that
 * the guard has rebuilt, drops those it has heard before, and says them on to the other peers.
 */
export class Wire {
  readonly #root: GunRoot
  readonly #mayHear: (peer: GunPeer, put: GunPut) => boolean

  /** @param mayHear whether a peer may hear values that another said */
  constructor(onGet: (get: Get) => void, mayHear: (peer: GunPeer, put: GunPut) => boolean) {
    this.#mayHear = mayHear
    const gun = Gun({
      WebSocket: NoSocket,
      peers: {},
      pack: frameBytes,
      localStorage: false,
      radisk: false,
      multicast: false,
      axe: false,
      stats: false,
      super: false,
    })
    const root = gun._
    this.#root = root
    // GUN would hold a value back until its clock reaches the value's state, by a timer that outlasts `close`; the guard
    // has judged that already, by the clock that this graph goes by.
    Gun.state.drift = 2 ** 50
    // GUN looks foreign ids up in plain objects: without a prototype `constructor` finds nothing to crash on.
    for (const table of [root.dup.s, root.tag, root.graph, root.opt.peers]) Object.setPrototypeOf(table, null)

    root.on('put', function evict(message) {
      // The store is the truth. What GUN keeps of a value is dropped once the message has passed.
      delete root.graph[message.put['#']]
      this.to.next(message)
    })
    root.on('get', function answer(message) {
      const { '#': id, get, _: heard } = message
      if (id !== undefined && get !== undefined && heard?.via !== undefined) {
        onGet({ id, soul: get['#'], key: get['.'], peer: heard.via })
      }
      this.to.next(message)
    })
    root.opt.mesh.way = (message) => this.#spread(message)
  }

  join(peer: GunPeer): void {
    this.#root.opt.mesh.hi(peer)
  }

  leave(peer: GunPeer): void {
    if (Object.hasOwn(this.#root.opt.peers, peer.id)) this.#root.opt.mesh.bye(peer)
  }

  /** Takes a rebuilt message. A `put` goes on to every peer but the one it came from, and is for them alone. */
  hear(message: GunMessage, peer: GunPeer): void {
    if (message.put !== undefined && this.#isAlone(peer)) return
    this.#root.opt.mesh.hear(message, peer)
  }

  /** Says values of this node to every peer. */
  broadcast(id: string, put: GunPut): void {
    this.#root.opt.mesh.say({ '#': id, put })
  }

  /**
   * Says something to one peer: values, or with `to` the reply to its request, which without values means "not here". At
   * once, and not by GUN: it would hash each text first, a piece a turn, and a reader that asks faster than that would
   * have any number of replies wait in memory.
   */
  tell(peer: GunPeer, message: { to?: string; put?: GunPut; ok?: number }): void {
    const { to, put, ok } = message
    peer.say(JSON.stringify({ '#': messageId(), ...(to !== undefined && { '@': to }), put, ok }))
  }

  close(): void {
    const { opt, dup } = this.#root
    for (const peer of Object.values(opt.peers)) opt.mesh.bye(peer)
    if (dup.to) clearTimeout(dup.to)
    for (const id of Object.keys(dup.s)) delete dup.s[id]
  }

  #isAlone(peer: GunPeer): boolean {
    for (const id in this.#root.opt.peers) if (id !== peer.id) return false
    return true
  }

  /** Only values are gossip: a request is answered here, where every stored value is, and goes no further. */
  #spread(message: GunHeard): void {
    const { put } = message
    if (put === undefined) return
    const { peers, mesh } = this.#root.opt
    for (const peer of Object.values(peers)) {
      if (peer !== message._?.via && this.#mayHear(peer, put)) mesh.say(message, peer)
    }
  }
}
