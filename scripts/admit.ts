import { readFile } from 'node:fs/promises'
import { admit, eventually, readNode } from './local/node-api.ts'

const patienceMs = 120_000

const [owner, tokenFile, ...joining] = process.argv.slice(2)
if (owner === undefined || tokenFile === undefined || joining.length === 0) {
  console.error(`Has a network's owner admit seeders that are not members yet.

Usage: admit.ts OWNER_URL ADMIN_TOKEN_FILE SEEDER_URL...`)
  process.exit(2)
}
for (const url of joining) {
  const patience = AbortSignal.timeout(patienceMs)
  const { id } = await eventually(() => readNode(url), patience)
  await eventually(async () => await admit(owner, (await readFile(tokenFile, 'utf8')).trim(), id), patience)
  console.log(`member: ${id} ${url}`)
}
