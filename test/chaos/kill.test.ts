import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededRandom } from '../harness/index.ts'
import { Ledger } from './ledger.ts'
import { converged, round } from './round.ts'

const rounds = Number(process.env['ELDERNODE_ROUNDS'] ?? 25)
const seed = Number(process.env['ELDERNODE_SEED'] ?? Date.now() % 1_000_000)

let network: Network

beforeAll(async () => {
  network = await Network.start({ seeders: 3 })
})

afterAll(() => network.close())

test(
  `${rounds} rounds of kill -9: what was acknowledged stays, what is served is right, the copies converge`,
  async () => {
    network.reportFailure()
    const random = seededRandom(seed)
    const ledger = new Ledger()
    for (let number = 1; number <= rounds; number++) {
      let done = 'nothing yet'
      try {
        done = await round(network, ledger, random)
        if (number % 5 === 0 || number === rounds) await converged(network, ledger)
      } catch (error) {
        // The seed repeats the choices, though not the exact moments.
        throw new Error(`round ${number} of ELDERNODE_SEED=${seed} failed (${done})`, { cause: error })
      }
    }
    for (const seeder of network.seeders) await ledger.audit(seeder)
    expect(ledger.size).toBeGreaterThan(0)
  },
  60_000 + rounds * 30_000,
)
