import { InvalidInputError } from '@eldernode/core'
import { happened } from '../swarm/index.ts'

/** What one UDP packet holds (BEP 15). */
export const maxScrape = 74

/** Why a scrape of everything is refused: it would list every torrent. */
export const noFullScrape = 'a scrape names at least one info_hash: this tracker does not list all of them'

/** Peers told to one who names no wish. */
export const usualPeers = 50

export const refuse = (message: string): never => {
  throw new InvalidInputError(message)
}

/** An absent event, and the word `empty` of BEP 3, are a regular update. */
export const eventOf = (word: string): number => {
  switch (word) {
    case '':
    case 'empty':
    case 'update':
      return happened.update
    case 'started':
      return happened.started
    case 'stopped':
      return happened.stopped
    case 'completed':
      return happened.completed
    case 'paused':
      return happened.paused
    default:
      return refuse('event must be one of started, stopped, completed, paused or empty')
  }
}

/** 20 bytes as five big-endian words. */
export const wordsOf = (bytes: Uint8Array, from: number, into: Int32Array): void => {
  for (let word = 0, at = from; word < 5; word++, at += 4) {
    into[word] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
  }
}
