import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom, sha256OfFile, type Seeder } from '../../harness/index.ts'
import { blobOf } from '../../harness/rot.ts'
import { Cargo } from './cargo.ts'
import { faults, NotHere, pick, shuffled, type Sea } from './faults.ts'
import { Liar } from './liar.ts'
import { Coast } from './setup.ts'
import { atTarget } from './standing.ts'

export interface StormOptions {
  seed: number
  /** For how long nodes are harmed: each kind once at least, whatever that takes. */
  harmMs: number
  /** Longest time that a node is away. */
  awayMs: number
  liarState: 'active' | 'draining'
  /** How many times as fast the nodes' time goes by; 1 when absent. */
  factor?: number
  settings: Readonly<Record<string, string | number | boolean>>
  /** Told of each fault as it is over. */
  say: (line: string) => void
}

export interface StormResult {
  items: number
  /** Bytes of acknowledged items that no node serves any more. */
  lostBytes: number
  /** Bytes of items that a node served otherwise than they were published, at any time. */
  wrongBytes: number
  /** Copies that hold wrong bytes at the end: flipped bits that nobody found, or could not mend. */
  unrepaired: number
  /** Copies of a node that was gone for good, and that others made anew. */
  healed: number
  /** How often each kind of harm was done. */
  done: Record<string, number>
  /** Why this machine allows no harm of a kind. */
  notHere: Record<string, string>
}

const mendMs = 120_000
const sizes = [1, 1_000, 70_000, 300_000, 1_500_000]

/** Publishes, harms and reads, all at once, until the time is over; then waits until all is well, and counts. */
export async function storm(options: StormOptions): Promise<StormResult> {
  const { seed, harmMs, awayMs, liarState, settings, factor = 1, say } = options
  const random = seededRandom(seed)
  const cargo = new Cargo()
  const coast = await Coast.start(settings, factor)
  const told: string[] = []
  const done = Object.fromEntries(Object.keys(faults).map((name) => [name, 0]))
  const notHere: Record<string, string> = {}
  let liar: Liar | undefined
  try {
    const sea: Sea = {
      coast,
      cargo,
      random,
      away: () => Math.round(awayMs * (0.2 + 0.8 * random())),
      spoilt: new Set(),
      healed: 0,
    }
    for (let i = 0; i < 15; i++) await cargo.publish(pick(coast.network.seeders, random), sizes[i % sizes.length] ?? 1)
    await atTarget(coast.network.seeders, () => cargo.pieces)
    say(`${cargo.size} items at target`)
    liar = await Liar.join(coast, {
      claims: () => cargo.pieces.map(({ media }) => media.id),
      state: liarState,
    })

    const over = new AbortController()
    const traffic = Promise.all([publishing(sea, over.signal), reading(sea, over.signal)])
    const end = performance.now() + harmMs
    try {
      // Whoever was started anew replaces no copies for a minute: that may pass while others are harmed.
      let round = ['lose', ...shuffled(Object.keys(faults), random).filter((name) => name !== 'lose')]
      for (let first = true; first || performance.now() < end; first = false) {
        for (const name of round) {
          const line = await harm(name, sea, notHere)
          done[name] = (done[name] ?? 0) + Number(notHere[name] === undefined)
          told.push(line)
          say(line)
          const ended = coast.network.seeders.find((seeder) => !seeder.isRunning)
          if (ended !== undefined) throw new Error(`${ended.name} ended by itself`)
        }
        round = shuffled(Object.keys(faults), random)
      }
    } finally {
      over.abort()
      await traffic
    }

    await atTarget(coast.network.seeders, () => cargo.pieces, { liar: liar.id })
    say('at target again')
    const unrepaired = await unmended(coast, cargo, liar.id)
    const lost = await lostItems(coast, cargo)
    const sizeOf = (id: string): number => cargo.pieces.find(({ media }) => media.id === id)?.media.size ?? 0
    const wrongBytes = cargo.pieces
      .filter(({ media }) => cargo.wrong.some((line) => line.endsWith(media.id)))
      .reduce((sum, { media }) => sum + media.size, 0)
    return {
      items: cargo.size,
      lostBytes: lost.reduce((sum, id) => sum + sizeOf(id), 0),
      wrongBytes,
      unrepaired,
      healed: sea.healed,
      done,
      notHere,
    }
  } catch (error) {
    throw new Error(`seed ${seed} failed after: ${told.join('; ')}\n${coast.network.output()}`, { cause: error })
  } finally {
    try {
      await liar?.close()
    } finally {
      await coast.close()
    }
  }
}

/** Does one kind of harm. @returns what was done */
async function harm(name: string, sea: Sea, notHere: Record<string, string>): Promise<string> {
  try {
    return (await faults[name]?.(sea)) ?? name
  } catch (error) {
    if (!(error instanceof NotHere)) throw error
    notHere[name] = error.message
    return error.message
  }
}

/** New items go on coming, on whichever node takes them. */
async function publishing({ coast, cargo, random }: Sea, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const seeder = pick(coast.network.seeders, random)
    if (seeder.isRunning) await cargo.publish(seeder, pick(sizes, random) + Math.floor(random() * 100))
    await pause(2_000)
  }
}

async function reading({ coast, cargo, random }: Sea, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const seeder = pick(coast.network.seeders, random)
    const [piece] = shuffled(cargo.pieces, random)
    if (piece !== undefined && seeder.isRunning) await cargo.read(seeder, piece)
    await pause(100)
  }
}

/** Has every node hash all it holds. @returns how many copies stay wrong, by their node's word or on its disk */
async function unmended({ network: { seeders } }: Coast, cargo: Cargo, liar: string): Promise<number> {
  const look = async () => (await Promise.all(seeders.map((seeder) => wrongCopies(seeder, cargo)))).flat()
  let wrong = await look()
  await atTarget(seeders, () => cargo.pieces, { liar })
  const end = performance.now() + mendMs
  while (wrong.length > 0 && performance.now() < end) {
    await pause(1_000)
    wrong = await look()
  }
  return wrong.length
}

/** @returns the items of which a node holds wrong bytes, or cannot say that they are right */
async function wrongCopies(seeder: Seeder, cargo: Cargo): Promise<string[]> {
  const wrong: string[] = []
  const held = await seeder.items()
  for (const { media, sha256 } of cargo.pieces) {
    if (!held.has(media.id)) continue
    const response = await seeder.admin('POST', `/v1/media/${media.id}/verify`)
    const { ok } = (await response.json()) as { ok?: boolean }
    const onDisk = await sha256OfFile(blobOf(seeder, media)).catch(() => 'none')
    if (!response.ok || ok !== true || onDisk !== sha256) wrong.push(media.id)
  }
  return wrong
}

/** Reads every copy that a node says to hold. @returns the items that no node serves */
async function lostItems({ network }: Coast, cargo: Cargo): Promise<string[]> {
  const served = new Set<string>()
  for (const seeder of network.seeders) {
    const held = await seeder.items()
    for (const piece of cargo.pieces) {
      if (held.has(piece.media.id) && (await cargo.read(seeder, piece))) served.add(piece.media.id)
    }
  }
  return cargo.pieces.map(({ media }) => media.id).filter((id) => !served.has(id))
}
