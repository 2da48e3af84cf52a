import { storm } from '../../chaos/network/storm.ts'
import { tell, type Figures, type Part } from '../publish/figures.ts'

const seconds = Number(process.env['HARM'] ?? 60)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

/** Five nodes that are killed, frozen, cut off, filled up and spoilt while they publish and serve. */
async function run(): Promise<Figures> {
  const { items, lostBytes, wrongBytes, unrepaired } = await storm({
    seed,
    harmMs: seconds * 1000,
    awayMs: 15_000,
    liarState: 'active',
    factor: 4,
    settings: { 'repair.grace': 60 },
    say: (line) => console.log(`  ${line}`),
  })
  tell(`harm, ${items} items, SEED=${seed}`, `${lostBytes} lost, ${wrongBytes} wrong bytes`, `${unrepaired} flips left`)
  return { lost_bytes: lostBytes, wrong_bytes: wrongBytes }
}

export const harm: Part = { name: 'harm', keys: ['lost_bytes', 'wrong_bytes'], run }
