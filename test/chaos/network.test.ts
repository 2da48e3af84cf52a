import { expect, test } from 'vitest'
import { storm } from './network/storm.ts'

/** Two minutes, or ten in scripts/nightly. */
const minutes = Number(process.env['ELDERNODE_STORM_MINUTES'] ?? 2)
const seed = Number(process.env['ELDERNODE_SEED'] ?? Date.now() % 1_000_000)
const isShort = minutes <= 2

test(
  `five nodes in ${minutes} minutes of harm, ELDERNODE_SEED=${seed}: nothing is lost, and all is at target again`,
  async (context) => {
    const result = await storm({
      seed,
      harmMs: isShort ? 0 : minutes * 60_000,
      awayMs: isShort ? 8_000 : 90_000,
      liarState: 'active',
      // A start, the grace time and the patience with the liar are a minute each.
      ...(isShort && { factor: 4 }),
      settings: { 'repair.grace': 60 },
      say: (line) => console.log(line),
    })
    expect(result).toMatchObject({ lostBytes: 0, wrongBytes: 0, unrepaired: 0 })
    expect(result.items).toBeGreaterThan(12)
    expect(result.healed).toBeGreaterThan(0)
    const missed = Object.keys(result.done).filter((kind) => result.done[kind] === 0)
    expect(missed.toSorted()).toEqual(Object.keys(result.notHere).toSorted())
    const refused = Object.values(result.notHere)
    if (refused.length > 0) context.skip(`all is well, but there was ${refused.join(', ')}`)
  },
  minutes * 60_000 + 600_000,
)
