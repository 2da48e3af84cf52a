import { afterEach, beforeEach, onTestFailed, expect, test } from 'vitest'
import { backToLevel, footprint, handshake, RawPeer, until } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'
import { Victim } from './victim.ts'

const connections = 5_000
/** Each calls from an address of its own, with others of its kind. */
const callers = 50
/** 2 KB of each that stays alive, or 25 KB of each with the allocators, are too much. */
const allowed = { liveBytes: 10 * 2 ** 20, residentBytes: 128 * 2 ** 20, descriptors: 20 }

let victim: Victim

beforeEach(async () => {
  victim = await Victim.start()
})

afterEach(() => victim.stop())

/** Nothing, the beginning of a handshake, or that of an encrypted one. */
const beginnings = (infoHash: string): Buffer[] => [
  Buffer.alloc(0),
  handshake(infoHash).subarray(0, 40),
  Buffer.alloc(50, 0x5a),
]

test.skipIf(lacks('libtorrent'))(
  `${connections} strangers who connect and say no more keep nobody out, and are shown the door`,
  async () => {
    const { seeder } = victim
    onTestFailed(() => console.error(seeder.output()))
    await victim.serves(0)
    const before = await footprint(seeder)
    const said = beginnings(victim.population.infoHash(1))
    const strangers: RawPeer[] = []
    try {
      const open = async (index: number): Promise<void> => {
        const stranger = await RawPeer.open(victim.port, `127.0.0.${2 + (index % callers)}`)
        strangers.push(stranger)
        await stranger.send(said[index % said.length] ?? Buffer.alloc(0))
      }
      const serving = [victim.serves(1, 2, 3)]
      for (let from = 0; from < connections; from += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, index) => open(from + index)))
        if (from === connections / 2) serving.push(victim.serves(4, 5, 6))
      }
      serving.push(victim.serves(7, 8, 9))
      await Promise.all(serving)
      await until(() => strangers.every(({ closed }) => closed), { within: 40_000, what: 'all strangers are out' })
    } finally {
      for (const stranger of strangers) stranger.end()
    }
    await backToLevel(seeder, before, allowed)
    await victim.serves(10)
    expect(await victim.state()).toEqual({ same: true, status: 'healthy' })
  },
)
