import { expect, test } from 'vitest'
import { simulate } from './simulate.ts'

const setting = (name: string, fallback: number): number =>
  Number(process.env[`ELDERNODE_SIMULATION_${name}`] ?? fallback)
const only = process.env['ELDERNODE_SIMULATION_SEED']
const seeds = setting('SEEDS', 200)
const machines = setting('NODES', 12)
const items = setting('ITEMS', 300)
/** Of one seed at most. */
const faults = setting('FAULTS', 2)
/** Seconds after which no further seed is begun. */
const seconds = setting('SECONDS', Infinity)

/**
 * One test of all seeds that leave this remainder: each worker has a share. A seed that fails is named with how to run
 * it again, by itself and with its schedule.
 */
export function simulateSeeds(remainder: number, shares: number): void {
  test(
    `what placement, presence and reconcile promise holds for the seeds that leave ${remainder} of ${shares}`,
    () => {
      const failures: string[] = []
      const start = performance.now()
      for (let seed = remainder; seed < seeds && performance.now() - start < seconds * 1000; seed += shares) {
        if (only !== undefined && Number(only) !== seed) continue
        const { violations, log } = simulate({ seed, machines, items, faults: 1 + (seed % faults) })
        if (violations.length === 0) continue
        const again = `ELDERNODE_SIMULATION_SEED=${seed} ELDERNODE_SIMULATION_NODES=${machines} ELDERNODE_SIMULATION_ITEMS=${items} ELDERNODE_SIMULATION_FAULTS=${faults}`
        failures.push(
          [
            `seed ${seed} broke a promise; to see it again: ${again} vitest run --project system test/simulation`,
            ...log,
            ...violations,
          ].join('\n  '),
        )
        if (failures.length === 3) break
      }
      expect(failures.join('\n')).toBe('')
    },
    4 * 3_600_000,
  )
}
