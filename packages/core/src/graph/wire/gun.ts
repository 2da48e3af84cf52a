import './before-gun.ts'
// The file and not the package: the package's entry in Node brings radisk, AXE, SEA, multicast and statistics.
import stock from 'gun/gun.js'
import './after-gun.ts'

/** A node of GUN's graph on the wire: `_` carries its soul and each key's state, the other keys their values. */
export type GunNode = Record<string, unknown>
export type GunPut = Record<string, GunNode>

/** A message as it leaves for a peer. `#` is its id, `@` the id it answers. */
export interface GunMessage {
  '#'?: string
  '@'?: string
  '##'?: number
  get?: { '#': string; '.'?: string }
  put?: GunPut
  dam?: '?'
  pid?: string
  ok?: number
}

/** What GUN hangs on a message it heard: the peer it came from. */
export interface GunHeard extends GunMessage {
  _?: { via?: GunPeer }
}

/** A peer as GUN's mesh sees it. With `say` and `bye` of its own GUN never touches a socket. */
export interface GunPeer {
  readonly id: string
  readonly wire: object
  say(raw: string): void
  bye(): void
}

interface Middleware<Message> {
  to: { next(message: Message): void }
}

export interface GunRoot {
  opt: { peers: Record<string, GunPeer>; mesh: GunMesh }
  graph: Record<string, GunNode>
  dup: { s: Record<string, unknown>; to?: ReturnType<typeof setTimeout> | null }
  tag: Record<string, unknown>
  on(tag: 'get', listener: (this: Middleware<GunHeard>, message: GunHeard) => void): void
  on(tag: 'put', listener: (this: Middleware<GunChange>, message: GunChange) => void): void
}

/** One key of a `put` that passed GUN's conflict resolution. */
export interface GunChange {
  put: { '#': string; '.': string; ':': unknown; '>': number }
}

export interface GunMesh {
  hear(message: GunMessage, peer: GunPeer): void
  say(message: GunMessage, peer?: GunPeer): void
  hi(peer: GunPeer): void
  bye(peer: GunPeer): void
  /** GUN's own hook: asked where a message without an addressee should go. */
  way?: (message: GunHeard) => void
}

interface GunFactory {
  (options: Record<string, unknown>): { _: GunRoot }
  state: { drift: number }
}

export const Gun = stock as unknown as GunFactory
