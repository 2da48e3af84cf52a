import { expect, test } from 'vitest'
import { simulate } from './simulate.ts'

const setting = (name: string, fallback: number): number =>
  Number(process.env[`ELDERNODE_SIMULATION_${name}`] ?? fallback)
/** The one seed to run again. */
const only = process.env['ELDERNODE_SIMULATION_SEED']
const count = setting('SEEDS', 200)
const machines = setting('NODES', 12)
const items = setting('ITEMS', 300)
/** Of one seed at most. */
const faults = setting('FAULTS', 2)
/** Seconds after which no further seed is begun. */
const seconds = setting('SECONDS', Infinity)

/** Milliseconds that so many seeds may take: with 12 nodes and 300 items about six times what they take on a free core. */
const mostTime = (seeds: number): number => Math.max(120_000, seeds * machines ** 2 * items * 0.14)

function* seedsOf(remainder: number, shares: number): Generator<number> {
  if (only !== undefined) yield Number(only)
  else for (let seed = remainder; seed < count; seed += shares) yield seed
}

/**
 * One test of all seeds that leave this remainder: each worker has a share. A seed that fails is named with how to run
 * it again, by itself and with its schedule.
 */
export function simulateSeeds(remainder: number, shares: number): void {
  const time = Number.isFinite(seconds) ? seconds * 1000 + mostTime(1) : mostTime(Math.ceil(count / shares))
  test(
    `what placement, presence and reconcile promise holds for the seeds that leave ${remainder} of ${shares}`,
    () => {
      const failures: string[] = []
      const start = performance.now()
      let done = 0
      for (const seed of seedsOf(remainder, shares)) {
        if (performance.now() - start >= seconds * 1000 || failures.length === 3) break
        const { violations, log } = simulate({ seed, machines, items, faults: 1 + (seed % faults) })
        done++
        if (violations.length === 0) continue
        const again = `ELDERNODE_SIMULATION_SEED=${seed} ELDERNODE_SIMULATION_NODES=${machines} ELDERNODE_SIMULATION_ITEMS=${items} ELDERNODE_SIMULATION_FAULTS=${faults}`
        failures.push(
          [
            `seed ${seed} broke a promise; to see it again: ${again} vitest run --project system test/simulation/simulation-0`,
            ...log,
            ...violations,
          ].join('\n  '),
        )
      }
      console.log(`${done} seeds took ${((performance.now() - start) / 1000).toFixed(1)} s`)
      expect(failures.join('\n')).toBe('')
      expect(done, 'seeds that were run').toBeGreaterThan(0)
    },
    time,
  )
}
