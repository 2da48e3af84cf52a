export { Connections } from './connections.ts'
export type { Answering, OfferSource, PendingOffer } from './connections.ts'
export { Channel } from './channel.ts'
export { isDataOffer } from './sdp.ts'
