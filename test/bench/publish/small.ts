import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { rm } from 'node:fs/promises'
import { Seeder } from '../../harness/index.ts'
import { round, tell, type Figures, type Part, type Stage } from './figures.ts'
import { RawClient } from './raw-client.ts'

const size = 1024
const atOnce = 50
const items = Number(process.env['SMALL_ITEMS'] ?? 10_000)
const warmUp = 500

/** 1 KiB items published by 50 clients, each with the next one once the last one was answered, which says it is durable. */
async function run(stage: Stage): Promise<Figures> {
  const folder = join(stage.folder, 'small')
  const seeder = new Seeder('bench', folder, { 'network.allowPrivate': true })
  try {
    await seeder.start()
    await seeder.ready()
    const clients = await Promise.all(Array.from({ length: atOnce }, () => RawClient.connect(seeder.url, seeder.token)))
    let next = 0
    const publish = async (most: number) => {
      const start = performance.now()
      const work = async (client: RawClient) => {
        for (let n = next++; n < most; n = next++) {
          const status = await client.put(`${n}.bin`, size, [randomBytes(size)])
          if (status !== 201) throw new Error(`the seeder answered ${status}`)
        }
      }
      await Promise.all(clients.map(work))
      return (performance.now() - start) / 1000
    }
    await publish(warmUp)
    next = warmUp
    const seconds = await publish(warmUp + items)
    for (const client of clients) client.close()
    const rate = items / seconds
    tell(`${items} items of 1 KiB, ${atOnce} at once`, `${rate.toFixed(0)} a second`, 'reach 500')
    return { small_per_s: round(rate, 0) }
  } finally {
    await seeder.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

export const small: Part = { name: 'small', keys: ['small_per_s'], run }
