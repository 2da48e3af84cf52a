import { EldernodeError } from '@eldernode/core'
import { pino } from 'pino'
import { InfoHashTable } from '../awake/info-hash-table.ts'
import { Announcer } from './announcer.ts'
import type { AnnouncerOptions } from './announcer.ts'

const closers: (() => Promise<unknown> | void)[] = []

/** Undoes what a test began, the last thing first. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).toReversed()) await close()
}

export function onClose(close: () => Promise<unknown> | void): void {
  closers.push(close)
}

export const peerId = Buffer.from('-XX0001-abcdefghijkl').toString('hex')
export const hash = 'aa'.repeat(20)

/** The code of a named error, or what else was thrown. */
export function code(error: unknown): unknown {
  return error instanceof EldernodeError ? error.code : error
}

/** Knows infohashes as long as they are announced. */
class TestAnnouncer extends Announcer {
  readonly #known: InfoHashTable

  constructor(options: AnnouncerOptions) {
    super(options)
    this.#known = options.table
  }

  override add(infoHash: string): void {
    this.#known.add(infoHash)
    super.add(infoHash)
  }

  override restore(infoHashes: Iterable<string>, outOf: number): void {
    const all = [...infoHashes]
    for (const infoHash of all) this.#known.add(infoHash)
    super.restore(all, outOf)
  }

  override remove(infoHash: string): void {
    super.remove(infoHash)
    this.#known.delete(infoHash)
  }
}

/** An announcer of torrents held whole, and the peers that trackers named. */
export function announce(
  trackers: string[],
  more: Partial<AnnouncerOptions> = {},
): { announcer: Announcer; found: string[] } {
  const found: string[] = []
  const announcer = new TestAnnouncer({
    trackers,
    table: new InfoHashTable(),
    node: { peerId, port: () => 4321 },
    progress: () => ({ uploaded: 1, downloaded: 2, left: 0 }),
    found: (_infoHash, peer) => found.push(peer),
    signalling: { offers: () => Promise.resolve([]), answer: () => Promise.resolve(null) },
    logger: pino({ level: 'silent' }),
    random: () => 0,
    ...more,
  })
  onClose(() => announcer.close())
  return { announcer, found }
}
