import { createHash } from 'node:crypto'
import { Announce, happened, type Kind, kinds } from './announce.ts'
import type { Swarms } from './swarms.ts'

const magic = Buffer.from('eldernode tracker peers 1\n')

/** Infohash, downloads, age in seconds, port, kind, flags, address. */
const recordLength = 20 + 4 + 4 + 2 + 1 + 1 + 16
const timeLength = 8
const hashLength = 32

const isComplete = 1
const isPaused = 2

/**
 * Every peer that has an address, as bytes for a file. Peers behind WebSockets end with their sockets.
 *
 * @param time milliseconds since 1970, so that a reader knows how much older they are by then
 */
export const encodePeers = (swarms: Swarms, time: number): Buffer => {
  const head = Buffer.concat([magic, Buffer.alloc(timeLength)])
  head.writeDoubleBE(time, magic.length)
  const bytes = Buffer.alloc(head.length + swarms.peers * recordLength + hashLength)
  head.copy(bytes)
  let at = head.length
  swarms.save(({ infoHash, kind, address, port, event, left }, age, downloaded) => {
    for (const word of infoHash) at = bytes.writeInt32BE(word, at)
    at = bytes.writeUInt32BE(downloaded, at)
    at = bytes.writeUInt32BE(age, at)
    at = bytes.writeUInt16BE(port, at)
    at = bytes.writeUInt8(kind, at)
    at = bytes.writeUInt8((left === 0 ? isComplete : 0) | (event === happened.paused ? isPaused : 0), at)
    for (const word of address) at = bytes.writeInt32BE(word, at)
  })
  createHash('sha256').update(bytes.subarray(0, at)).digest().copy(bytes, at)
  return bytes.subarray(0, at + hashLength)
}

/**
 * Takes the peers of such a file back, those that are not too old by now.
 *
 * @param oldest seconds
 * @returns how many the file held, or undefined when it is none, or damaged
 */
export const decodePeers = (bytes: Buffer, swarms: Swarms, time: number, oldest: number): number | undefined => {
  const start = magic.length + timeLength
  const end = bytes.length - hashLength
  if (end < start || (end - start) % recordLength !== 0 || !bytes.subarray(0, magic.length).equals(magic))
    return undefined
  if (!createHash('sha256').update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end))) return undefined
  // A clock that went back makes nobody younger.
  const passed = Math.max(0, Math.round((time - bytes.readDoubleBE(magic.length)) / 1000))
  const word = new Announce()
  for (let at = start; at < end; at += recordLength) {
    for (let i = 0; i < 5; i++) word.infoHash[i] = bytes.readInt32BE(at + 4 * i)
    const age = bytes.readUInt32BE(at + 24) + passed
    word.port = bytes.readUInt16BE(at + 28)
    word.kind = (bytes.readUInt8(at + 30) === kinds.ipv6 ? kinds.ipv6 : kinds.ipv4) satisfies Kind
    const flags = bytes.readUInt8(at + 31)
    word.left = (flags & isComplete) === 0 ? 1 : 0
    word.event = (flags & isPaused) === 0 ? happened.update : happened.paused
    for (let i = 0; i < 4; i++) word.address[i] = bytes.readInt32BE(at + 32 + 4 * i)
    if (age < oldest) swarms.restore(word, age, bytes.readUInt32BE(at + 20))
  }
  return (end - start) / recordLength
}
