export { Connections } from './connections.ts'
export type { PendingOffer } from './connections.ts'
export type { Channel } from './channel.ts'
