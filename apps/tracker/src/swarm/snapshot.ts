import { createHash } from 'node:crypto'
import { Announce, happened, type Kind, kinds } from './announce.ts'
import type { Swarms } from './swarms.ts'

/** The second kind, of private trackers, adds to each record. */
const magics = [Buffer.from('eldernode tracker peers 1\n'), Buffer.from('eldernode tracker peers 2\n')] as const
const magicLength = magics[0].length

/** Infohash, downloads, age in seconds, port, kind, flags, address. */
const plainLength = 20 + 4 + 4 + 2 + 1 + 1 + 16

/** Key, uploaded, downloaded. */
const accountLength = 4 + 8 + 8

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
  const { hasAccounts } = swarms
  const recordLength = plainLength + (hasAccounts ? accountLength : 0)
  const bytes = Buffer.alloc(magicLength + timeLength + swarms.peers * recordLength + hashLength)
  magics[hasAccounts ? 1 : 0].copy(bytes)
  let at = bytes.writeDoubleBE(time, magicLength)
  swarms.save((word, age, downloaded) => {
    const { infoHash, kind, address, port, event, left } = word
    for (const part of infoHash) at = bytes.writeInt32BE(part, at)
    at = bytes.writeUInt32BE(downloaded, at)
    at = bytes.writeUInt32BE(age, at)
    at = bytes.writeUInt16BE(port, at)
    at = bytes.writeUInt8(kind, at)
    at = bytes.writeUInt8((left === 0 ? isComplete : 0) | (event === happened.paused ? isPaused : 0), at)
    for (const part of address) at = bytes.writeInt32BE(part, at)
    if (!hasAccounts) return
    at = bytes.writeInt32BE(word.key, at)
    at = bytes.writeDoubleBE(word.uploaded, at)
    at = bytes.writeDoubleBE(word.downloaded, at)
  })
  createHash('sha256').update(bytes.subarray(0, at)).digest().copy(bytes, at)
  return bytes.subarray(0, at + hashLength)
}

/**
 * Takes the peers of such a file back, those that are not too old by now.
 *
 * @param oldest seconds
 * @param isWanted others of them are left out
 * @returns how many the file held, or undefined when it is none, or damaged
 */
export const decodePeers = (
  bytes: Buffer,
  swarms: Swarms,
  time: number,
  oldest: number,
  isWanted: (infoHash: Int32Array) => boolean = () => true,
): number | undefined => {
  const start = magicLength + timeLength
  const end = bytes.length - hashLength
  const version = magics.findIndex((magic) => bytes.subarray(0, magicLength).equals(magic))
  const recordLength = plainLength + (version === 1 ? accountLength : 0)
  if (version === -1 || end < start || (end - start) % recordLength !== 0) return undefined
  if (!createHash('sha256').update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end))) return undefined
  // A clock that went back makes nobody younger.
  const passed = Math.max(0, Math.round((time - bytes.readDoubleBE(magicLength)) / 1000))
  const word = new Announce()
  // Where passkeys are asked for, a peer without one is nobody's.
  const isUsed = version === 1 || !swarms.hasAccounts
  for (let at = start; at < end && isUsed; at += recordLength) {
    for (let i = 0; i < 5; i++) word.infoHash[i] = bytes.readInt32BE(at + 4 * i)
    const age = bytes.readUInt32BE(at + 24) + passed
    word.port = bytes.readUInt16BE(at + 28)
    word.kind = (bytes.readUInt8(at + 30) === kinds.ipv6 ? kinds.ipv6 : kinds.ipv4) satisfies Kind
    const flags = bytes.readUInt8(at + 31)
    word.left = (flags & isComplete) === 0 ? 1 : 0
    word.event = (flags & isPaused) === 0 ? happened.update : happened.paused
    for (let i = 0; i < 4; i++) word.address[i] = bytes.readInt32BE(at + 32 + 4 * i)
    if (version === 1) {
      word.key = bytes.readInt32BE(at + plainLength)
      word.uploaded = bytes.readDoubleBE(at + plainLength + 4)
      word.downloaded = bytes.readDoubleBE(at + plainLength + 12)
    }
    if (age < oldest && isWanted(word.infoHash)) swarms.restore(word, age, bytes.readUInt32BE(at + 20))
  }
  return (end - start) / recordLength
}
