import { readFile } from 'node:fs/promises'
import { Egress } from '@eldernode/seeder/egress'
import { WebTorrentSwarm } from '@eldernode/seeder/swarm'
import { pino } from 'pino'

/** What the process seeds: a JSON file named by its first argument. */
export interface SwarmJob {
  trackers: string[]
  torrents: { infoHash: string; metainfoPath: string; files: { path: string; size: number }[] }[]
}

// The seeder's engine alone, as a process of its own, ended by a signal.
const job = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as SwarmJob
const egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
const swarm = new WebTorrentSwarm({
  port: 0,
  trackers: job.trackers,
  egress,
  logger: pino({ level: process.env.LOG ?? 'info' }),
})
await swarm.start()
for (const { infoHash, metainfoPath, files } of job.torrents) {
  await swarm.seed({ infoHash, metainfo: new Uint8Array(await readFile(metainfoPath)), files })
}
process.once('SIGTERM', () => {
  void swarm.close().then(() => egress.close())
})
console.log(JSON.stringify({ port: swarm.port, pid: process.pid }))
