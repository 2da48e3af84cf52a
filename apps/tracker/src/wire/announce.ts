import { InvalidInputError } from '@eldernode/core'

export const events = ['update', 'completed', 'started', 'stopped', 'paused'] as const
export type AnnounceEvent = (typeof events)[number]

/** One peer's word on one torrent, whatever the transport. Hashes and ids are 40 characters of hex. */
export interface Announce {
  infoHash: string
  peerId: string
  event: AnnounceEvent
  /** Bytes still missing; undefined when the peer does not know the size yet. */
  left: number | undefined
}

/** A question for the counts of some torrents, at most `maxScrape` of them. */
export interface Scrape {
  infoHashes: string[]
}

/** What one UDP packet holds (BEP 15). */
export const maxScrape = 74

/** Peers in one answer: what fits a UDP packet of 512 bytes. */
export const maxPeers = 82

export const refuse = (message: string): never => {
  throw new InvalidInputError(message)
}

/** 20 bytes as a string of 20 characters below U+0100 -> hex. */
export const binaryHash = (name: string, value: unknown): string => {
  if (typeof value !== 'string' || value.length !== 20) return refuse(`${name} must be 20 bytes`)
  const bytes = Buffer.from(value, 'latin1')
  // A character above U+00FF would silently become another byte.
  return bytes.toString('latin1') === value ? bytes.toString('hex') : refuse(`${name} must be 20 bytes`)
}

/** An absent event, and the word `empty` of BEP 3, are a regular update. */
export const eventOf = (value: unknown): AnnounceEvent => {
  if (value === undefined || value === null || value === '' || value === 'empty') return 'update'
  return events.find((event) => event === value) ?? refuse(`event must be one of ${events.join(', ')}`)
}

export const leftOf = (value: number): number | undefined => (Number.isFinite(value) && value >= 0 ? value : undefined)
