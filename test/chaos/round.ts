import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { until, type Network, type Seeder } from '../harness/index.ts'
import type { Ledger } from './ledger.ts'

const phases = ['upload', 'replication', 'idle'] as const
const megabyte = 1_000_000

/** Mostly small items, now and then one whose copy takes a while. */
function itemSize(random: () => number): number {
  return Math.ceil((random() < 0.15 ? 10 + random() * 20 : 0.1 + random() * 3) * megabyte)
}

function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** One `kill -9` at a random moment of one phase, a restart, and the promises that must hold right after it. */
export async function round(network: Network, ledger: Ledger, random: () => number): Promise<string> {
  const victim = pick(network.seeders, random)
  const phase = pick(phases, random)
  if (phase === 'upload') await killAmidUploads(victim, ledger, random)
  else if (phase === 'replication') await killAmidReplication(network, victim, ledger, random)
  else {
    await pause(random() * 500)
    await victim.kill()
  }

  const leftovers = await readdir(join(victim.folder, 'incoming'))
  await victim.start()
  await victim.ready()
  const staged = new Set(await readdir(join(victim.folder, 'incoming')))
  const kept = leftovers.filter((name) => staged.has(name))
  if (kept.length > 0) throw new Error(`${victim.name} kept ${kept.join(', ')} of a broken upload or copy`)
  for (const seeder of network.seeders) {
    if (!seeder.isRunning) throw new Error(`${seeder.name} ended on its own`)
  }
  await ledger.audit(victim)
  return `${victim.name} killed during ${phase}`
}

async function killAmidUploads(victim: Seeder, ledger: Ledger, random: () => number): Promise<void> {
  const sizes = Array.from({ length: 40 }, () => itemSize(random))
  const moment = 20 + random() * 2_000
  const uploads = (async () => {
    for (const size of sizes) if (!(await ledger.upload(victim, size))) return
  })()
  await Promise.race([pause(moment), uploads])
  await victim.kill()
  await uploads
}

async function killAmidReplication(
  network: Network,
  victim: Seeder,
  ledger: Ledger,
  random: () => number,
): Promise<void> {
  const publisher = pick(network.seeders, random)
  for (let i = 0; i < 3; i++) await ledger.upload(publisher, itemSize(random))
  await pause(random() * 1_000)
  await victim.kill()
}

/** Waits until every node holds everything that was acknowledged. */
export async function converged(network: Network, ledger: Ledger): Promise<void> {
  for (const seeder of network.seeders) {
    await until(async () => (await ledger.missing(seeder)).length === 0, {
      within: 60_000,
      every: 250,
      what: `${seeder.name} holds all ${ledger.size} items`,
    })
  }
}
