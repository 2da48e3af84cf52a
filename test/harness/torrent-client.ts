import { mkdir } from 'node:fs/promises'
import { Program } from './program.ts'

/**
 * Downloads by magnet, or the URL of a .torrent, into `folder` with aria2, a BitTorrent client nobody here wrote: no DHT, no peer exchange, so
 * that whatever it finds it found through its own trackers, peers and web seeds.
 * @throws Error with the client's output when it does not finish in time
 */
export async function aria2(source: string, folder: string, seconds = 60): Promise<void> {
  await mkdir(folder, { recursive: true })
  const client = new Program({
    name: 'aria2c',
    command: 'aria2c',
    args: [
      `--dir=${folder}`,
      '--enable-dht=false',
      '--enable-dht6=false',
      '--bt-enable-lpd=false',
      '--enable-peer-exchange=false',
      '--seed-time=0',
      '--bt-stop-timeout=30',
      '--bt-tracker-interval=2',
      '--disable-ipv6=true',
      '--listen-port=20000-60000',
      '--no-conf=true',
      '--summary-interval=0',
      `--stop=${seconds}`,
      source,
    ],
  })
  const code = await client.exited()
  if (code !== 0) throw new Error(`aria2c ended with ${code}\n${client.output()}`)
}
