import { randomBytes } from 'node:crypto'
import { once } from 'node:events'

/**
 * Stock WebTorrent with idle torrents at a WebSocket tracker: sleeping.ts runs it as a process of its own.
 * COUNT TRACKER  prints {"ready":0}, waits for SIGUSR2, seeds torrents of 64 KiB, prints {"added":n} and waits.
 */
interface Client {
  seed(bytes: Buffer, options: { name: string; announce: string[] }, done: () => void): void
}

// It has no types of its own.
const name: string = 'webtorrent'
const { default: WebTorrent } = (await import(name)) as { default: new (options: object) => Client }
const [count, tracker = ''] = [Number(process.argv[2]), process.argv[3]]
const client = new WebTorrent({ dht: false, lsd: false, natUpnp: false, natPmp: false, utp: false })

function seed(index: number, announce: string[]): Promise<void> {
  return new Promise((resolve) => client.seed(randomBytes(65_536), { name: `item-${index}`, announce }, resolve))
}

// What the first torrent loads is not what each costs.
await seed(-1, [])
process.stdout.write('{"ready":0}\n')
await once(process, 'SIGUSR2')
for (let index = 0; index < count; index++) await seed(index, [tracker])
process.stdout.write(`{"added":${count}}\n`)
await once(process, 'SIGTERM')
