import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom, until, type Seeder } from '../../harness/index.ts'
import { Cargo } from './cargo.ts'
import { faults, pick, shuffled, type Sea } from './faults.ts'
import { Liar } from './liar.ts'
import { Coast } from './setup.ts'
import { standing } from './standing.ts'

export interface StormOptions {
  seed: number
  /** For how long nodes are harmed: each kind once at least, whatever that takes. */
  harmMs: number
  /** Longest time that a node is away. */
  awayMs: number
  liarState: 'active' | 'draining'
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
  /** Flipped bits that no node found. */
  unrepaired: number
  faults: string[]
}

const settleMs = 240_000
const sizes = [1, 1_000, 70_000, 300_000, 1_500_000]

/** Publishes, harms and reads, all at once, until the time is over; then waits until all is well, and counts. */
export async function storm({ seed, harmMs, awayMs, liarState, settings, say }: StormOptions): Promise<StormResult> {
  const random = seededRandom(seed)
  const cargo = new Cargo()
  const coast = await Coast.start(settings)
  const done: string[] = []
  let liar: Liar | undefined
  try {
    const sea: Sea = {
      coast,
      cargo,
      random,
      away: () => Math.round(awayMs * (0.2 + 0.8 * random())),
      spoilt: new Set(),
    }
    for (let i = 0; i < 15; i++) await cargo.publish(pick(coast.network.seeders, random), sizes[i % sizes.length] ?? 1)
    await atTarget(coast, cargo, '')
    say(`${cargo.size} items at target`)
    liar = await Liar.join(coast.network, coast.address, {
      claims: () => cargo.pieces.map(({ media }) => media.id),
      state: liarState,
    })

    const over = new AbortController()
    const traffic = Promise.all([publishing(sea, over.signal), reading(sea, over.signal)])
    const end = performance.now() + harmMs
    try {
      // Whoever was started anew replaces no copies for a minute: that may pass while others are harmed.
      let round = ['kill', ...shuffled(Object.keys(faults), random).filter((name) => name !== 'kill')]
      for (let first = true; first || performance.now() < end; first = false) {
        for (const name of round) {
          const told = (await faults[name]?.(sea)) ?? name
          done.push(told)
          say(told)
        }
        round = shuffled(Object.keys(faults), random)
      }
    } finally {
      over.abort()
      await traffic
    }

    await atTarget(coast, cargo, liar.id)
    say('at target again')
    const unrepaired = await scrubbed(coast, cargo, liar.id)
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
      faults: done,
    }
  } catch (error) {
    throw new Error(`seed ${seed} failed after: ${done.join('; ')}\n${coast.network.output()}`, { cause: error })
  } finally {
    await liar?.close()
    await coast.close()
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

/** Waits until every node sees every item at its target without the liar. */
async function atTarget({ network }: Coast, cargo: Cargo, liar: string): Promise<void> {
  await Promise.all(network.seeders.map((seeder) => seeder.ready(60_000)))
  for (const seeder of network.seeders) {
    let missing: string[] = []
    await until(
      async () => {
        const seen = await standing(seeder)
        missing = cargo.pieces.flatMap(({ media: { id } }) => {
          const health = seen.get(id)
          if (health?.copies.some((copy) => copy.id === liar && copy.proof === 'proven'))
            return `${id}: the liar passes`
          if (health?.level === 'at-target' || health?.level === 'surplus') return []
          return `${id}: ${health?.level ?? 'unknown'} ${JSON.stringify(health?.why)} ${JSON.stringify(health?.copies)}`
        })
        return missing.length === 0
      },
      { within: settleMs, every: 500, what: `${seeder.name} sees every item at its target` },
    ).catch((error: unknown) => {
      throw new Error(`${missing.length} of ${cargo.size} are not:\n${missing.slice(0, 5).join('\n')}`, {
        cause: error,
      })
    })
  }
}

/** Has every node hash all it holds, and waits until nothing is wrong any more. @returns how many copies stay wrong */
async function scrubbed(coast: Coast, cargo: Cargo, liar: string): Promise<number> {
  const { seeders } = coast.network
  await Promise.all(seeders.map((seeder) => scrub(seeder, [...seedersItems(cargo)])))
  await atTarget(coast, cargo, liar)
  let wrong = 0
  for (const seeder of seeders) {
    await until(async () => (wrong = (await scrub(seeder, [...(await seeder.items()).keys()])).length) === 0, {
      within: settleMs,
      every: 1_000,
      what: `${seeder.name} has mended what was flipped`,
    })
  }
  return wrong
}

function seedersItems(cargo: Cargo): Iterable<string> {
  return cargo.pieces.map(({ media }) => media.id)
}

/** @returns the items that the node found wrong bytes of */
async function scrub(seeder: Seeder, ids: readonly string[]): Promise<string[]> {
  const wrong: string[] = []
  for (const id of ids) {
    const response = await seeder.admin('POST', `/v1/media/${id}/verify`)
    const answer = (await response.json()) as { ok?: boolean }
    if (response.ok && answer.ok !== true) wrong.push(id)
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
