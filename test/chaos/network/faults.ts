import { open, rm, stat, statfs, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { until, type Seeder } from '../../harness/index.ts'
import { withinSeconds, type Cargo, type Piece } from './cargo.ts'
import type { Coast, Victim } from './setup.ts'
import { atTarget, standing } from './standing.ts'

export interface Sea {
  coast: Coast
  cargo: Cargo
  random: () => number
  /** Milliseconds that a node is away, long enough for some to be given up and short enough for others to come back. */
  away(): number
  /** Items of which a copy was spoilt already: two flips might meet in the last copies of a piece. */
  spoilt: Set<string>
  /** Copies of a node that was gone for good, and that others made anew. */
  healed: number
}

/** One kind of harm, undone when it resolves: except for flipped bits, which the nodes must find and mend. */
export type Fault = (sea: Sea) => Promise<string>

/** This machine allows no harm of this kind. */
export class NotHere extends Error {}

const minute = 60_000

/** `kill -9`, and a start after a while. */
async function kill({ coast, random, away }: Sea): Promise<string> {
  const { seeder } = pick(coast.victims, random)
  const ms = away()
  await seeder.kill()
  await pause(ms)
  await seeder.start()
  await seeder.ready(60_000)
  return `${seeder.name} killed, back after ${ms} ms`
}

/** Gone for longer than the grace time: the others make its copies anew before it comes back. */
async function lose(sea: Sea): Promise<string> {
  const { coast, cargo, random } = sea
  const seen = await standing(coast.network.first)
  const copiesOf = (seeder: Seeder): Piece[] =>
    cargo.pieces.filter(({ media: { id } }) =>
      seen.get(id)?.copies.some((copy) => copy.id === seeder.id && copy.proof === 'proven'),
    )
  const holders = coast.network.seeders.filter((one) => copiesOf(one).length > 0)
  const seeder = pick(holders, random)
  const lost = copiesOf(seeder)
  await seeder.kill()
  const from = performance.now()
  await atTarget(coast.network.seeders, () => lost, { gone: seeder.id })
  sea.healed += lost.length
  const seconds = Math.round((performance.now() - from) / 1000)
  await seeder.start()
  await seeder.ready(60_000)
  return `${seeder.name} gone: ${lost.length} copies of it made elsewhere in ${seconds} s`
}

/** Its sockets stay open and nobody answers. */
async function freeze({ coast, random, away }: Sea): Promise<string> {
  const { seeder } = pick(coast.victims, random)
  const ms = away()
  process.kill(seeder.pid, 'SIGSTOP')
  try {
    await pause(ms)
  } finally {
    process.kill(seeder.pid, 'SIGCONT')
  }
  return `${seeder.name} frozen for ${ms} ms`
}

/** Nobody reaches it, and no connection is told. */
async function cut({ coast, random, away }: Sea): Promise<string> {
  const { seeder, island } = pick(coast.victims, random)
  if (island === undefined) throw new NotHere('no partition: network namespaces may not be made here')
  const ms = away()
  island.cut()
  try {
    await pause(ms)
  } finally {
    island.mend()
  }
  return `${seeder.name} cut off for ${ms} ms`
}

/** Not a byte is left on its disk; it is asked to publish all the same. */
async function fill({ coast, cargo, random, away }: Sea): Promise<string> {
  const victim = coast.victims.find(({ disk }) => disk !== undefined)
  if (victim?.disk === undefined) throw new NotHere('no full disk: a small one may not be mounted here')
  const filler = join(victim.disk, 'filler')
  const { bavail, bsize } = await statfs(victim.disk)
  const ms = away()
  try {
    await writeFile(filler, new Uint8Array(bavail * bsize)).catch(() => undefined)
    for (let i = 0; i < 3; i++) await cargo.publish(victim.seeder, 100_000 + Math.floor(random() * 1_000_000))
    await pause(ms)
  } finally {
    await rm(filler, { force: true })
  }
  return `the disk of ${victim.seeder.name} full for ${ms} ms`
}

/** One bit of one blob, now and then with the file's times as they were. */
async function flip({ coast, cargo, random, spoilt }: Sea): Promise<string> {
  const done: string[] = []
  const flipSome = async (): Promise<boolean> => {
    const safe = await safeItems(coast)
    for (const piece of shuffled(cargo.pieces, random)) {
      if (done.length === 3) break
      if (spoilt.has(piece.media.id) || !safe.has(piece.media.id)) continue
      for (const victim of shuffled(coast.victims, random)) {
        if (!(await flipIn(victim, piece, random))) continue
        spoilt.add(piece.media.id)
        done.push(`${piece.media.id} at ${victim.seeder.name}`)
        break
      }
    }
    return done.length > 0
  }
  // After another fault few have more copies than they need, for a while.
  await until(flipSome, { within: 60_000, every: 1_000, what: 'an item may lose a copy' })
  return `a bit flipped in ${done.join(', ')}`
}

/** Less than 5 minutes is harmless; more has the others refuse what it says, and then itself be silent. */
async function moveClock({ coast, random, away }: Sea): Promise<string> {
  const { seeder, moveClock: move } = pick(coast.victims, random)
  const ahead = pick([-4 * minute, 4 * minute, 5.5 * minute], random)
  const ms = away()
  await move(ahead)
  await pause(ms)
  await move(0)
  return `the clock of ${seeder.name} ${ahead / 1000} s ahead for ${ms} ms`
}

export const faults: Readonly<Record<string, Fault>> = { kill, lose, freeze, cut, fill, flip, moveClock }

/** Items that have their minimum without one more copy. */
async function safeItems(coast: Coast): Promise<Set<string>> {
  const safe = new Set<string>()
  try {
    const seen = await withinSeconds(5, standing(coast.network.first))
    for (const [id, { proven, min }] of seen) if (proven > min) safe.add(id)
  } catch {
    // Nothing is spoilt while nobody can say what is safe.
  }
  return safe
}

async function flipIn({ seeder }: Victim, { media }: Piece, random: () => number): Promise<boolean> {
  const path = join(seeder.folder, 'blobs', media.sha256.slice(0, 2), media.sha256)
  const before = await stat(path).catch(() => undefined)
  if (before === undefined || before.size === 0) return false
  const at = Math.floor(random() * before.size)
  const file = await open(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, at)
    byte[0] = (byte[0] ?? 0) ^ (1 << Math.floor(random() * 8))
    await file.write(byte, 0, 1, at)
  } finally {
    await file.close()
  }
  if (random() < 0.5) await utimes(path, before.atime, before.mtime)
  return true
}

export function pick<T>(all: readonly T[], random: () => number): T {
  const one = all[Math.floor(random() * all.length)]
  if (one === undefined) throw new Error('nothing to pick from')
  return one
}

export function shuffled<T>(all: readonly T[], random: () => number): T[] {
  return all
    .map((one) => ({ one, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ one }) => one)
}
