import { createHash } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesPerUdpPeer, bytesPerWsPeer } from './tracker/footprints.ts'
import { hotSwarmRatio, httpRatio, udpRatio, wsRatio } from './tracker/rates.ts'

/**
 * The tracker beside the stock package and opentracker, each on one core with the generator on the other. Names of parts
 * choose some of them. SECONDS: of each load; ROUNDS: of each comparison, of which the median counts.
 */
const parts: Record<string, (folder: string) => Promise<Record<string, number>>> = {
  http: async (folder) => ({ http_ratio: await httpRatio(folder) }),
  udp: async (folder) => ({ udp_ratio: await udpRatio(folder) }),
  ws: async (folder) => await wsRatio(folder),
  hot: async (folder) => ({ hot_swarm_ratio: await hotSwarmRatio(folder) }),
  ws_bytes: async (folder) => ({ bytes_per_ws_peer: await bytesPerWsPeer(folder) }),
  udp_bytes: async (folder) => ({ bytes_per_udp_peer: await bytesPerUdpPeer(folder) }),
}

const wanted = process.argv.slice(2)
for (const name of wanted) {
  if (!(name in parts)) throw new Error(`there is no part ${name}: name some of ${Object.keys(parts).join(', ')}`)
}

const folder = await mkdtemp(join(tmpdir(), 'eldernode-bench-'))
try {
  // opentracker gives up its rights before it reads the list.
  await chmod(folder, 0o755)
  const hashes = Array.from({ length: 1000 }, (_, n) => createHash('sha1').update(`${n}`).digest('hex'))
  await writeFile(join(folder, 'hashes.txt'), `${hashes.join('\n')}\n`)
  await writeFile(join(folder, 'one-hash.txt'), `${hashes[0]}\n`)
  const figures: Record<string, number> = {}
  for (const [name, part] of Object.entries(parts)) {
    if (wanted.length === 0 || wanted.includes(name)) Object.assign(figures, await part(folder))
  }
  console.log(JSON.stringify({ bench: 'tracker', figures }))
} finally {
  await rm(folder, { recursive: true, force: true })
}
