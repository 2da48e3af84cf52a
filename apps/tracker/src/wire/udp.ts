import { maxPeers, maxScrape, refuse } from './announce.ts'

/** A packet of BEP 15. `packet` holds only what the engine may see. */
export interface UdpRequest {
  action: 'connect' | 'announce' | 'scrape'
  connectionId: Buffer
  transactionId: number
  packet: Buffer
}

/** What every client puts in place of a connection id when it asks for one. */
export const protocolId = Buffer.from('0000041727101980', 'hex')

const announceLength = 98
const ipAt = 84
const numwantAt = 92

/** Checks and copies one packet. A claimed IP address is erased: it would let anybody enlist a third party. */
export const parseUdp = (message: Buffer): UdpRequest => {
  if (message.length < 16) return refuse('the packet is too short')
  const head = { connectionId: message.subarray(0, 8), transactionId: message.readUInt32BE(12) }
  const action = message.readUInt32BE(8)
  if (action === 0) return { ...head, action: 'connect', packet: Buffer.from(message.subarray(0, 16)) }
  if (action === 1) return { ...head, action: 'announce', packet: announcePacket(message) }
  if (action === 2) return { ...head, action: 'scrape', packet: scrapePacket(message) }
  return refuse(`unknown action ${action}`)
}

const announcePacket = (message: Buffer): Buffer => {
  if (message.length < announceLength) refuse('the announce is too short')
  if (message.readUInt32BE(80) > 3) refuse('unknown event')
  // Anything after the fixed fields is an extension (BEP 41), which asks nothing of this tracker.
  const packet = Buffer.from(message.subarray(0, announceLength))
  packet.writeUInt32BE(0, ipAt)
  if (packet.readInt32BE(numwantAt) > maxPeers) packet.writeInt32BE(maxPeers, numwantAt)
  return packet
}

const scrapePacket = (message: Buffer): Buffer => {
  const count = (message.length - 16) / 20
  if (!Number.isInteger(count) || count < 1 || count > maxScrape) refuse(`a scrape names 1 to ${maxScrape} torrents`)
  return Buffer.from(message)
}

/** The answer to `connect`. */
export const connectAnswer = (transactionId: number, connectionId: Buffer): Buffer => {
  const packet = Buffer.alloc(16)
  packet.writeUInt32BE(transactionId, 4)
  connectionId.copy(packet, 8)
  return packet
}

/** The same packet under the one connection id that the engine knows. */
export const forEngine = ({ packet }: UdpRequest): Buffer => {
  protocolId.copy(packet)
  return packet
}
