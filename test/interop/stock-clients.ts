import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Program, type Island } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

/** What a client is given: a .torrent, and a folder that has all of it or nothing. */
export interface Task {
  island: Island
  torrent: string
  folder: string
  port: number
  /** Further arguments for the client. */
  more: readonly string[]
}

/** Seeds what is there of a task, or downloads it, until it is ended. It knows its tracker and nobody else. */
type StockClient = (task: Task) => Promise<Program>

export const stockClients: Readonly<Record<string, StockClient>> = {
  'transmission-cli': transmission,
  aria2c: aria2,
  rtorrent,
  libtorrent: (task) =>
    started('libtorrent', task, '/usr/bin/python3', [
      join(import.meta.dirname, 'libtorrent-peer.py'),
      task.torrent,
      task.folder,
      `${task.island.address}:${task.port}`,
    ]),
  WebTorrent: (task) =>
    started('WebTorrent', task, process.execPath, [
      join(import.meta.dirname, 'webtorrent-peer.ts'),
      task.torrent,
      task.folder,
      String(task.port),
      ...task.more,
    ]),
}

export const isMissing = (name: string): boolean => name !== 'WebTorrent' && lacks(name)

async function started(name: string, { island, folder }: Task, program: string, args: string[]): Promise<Program> {
  const [command, ...within] = island.within
  if (command === undefined) throw new Error('an island has no way to it')
  return new Program({ name, command, args: [...within, program, ...args], env: { HOME: folder } })
}

async function transmission(task: Task): Promise<Program> {
  const config = `${task.folder}.config`
  await mkdir(config)
  const off = ['dht', 'lpd', 'utp', 'pex', 'port-forwarding', 'rpc'].map((name) => [`${name}-enabled`, false])
  // Plain connections first.
  await writeFile(join(config, 'settings.json'), JSON.stringify({ ...Object.fromEntries(off), encryption: 0 }))
  const args = ['-M', '-g', config, '-w', task.folder, '-p', String(task.port), task.torrent]
  return await started('transmission-cli', task, 'transmission-cli', args)
}

function aria2(task: Task): Promise<Program> {
  return started('aria2c', task, 'aria2c', [
    `--dir=${task.folder}`,
    // It does not speak UDP to a tracker otherwise; there is nobody whom it could ask.
    '--enable-dht=true',
    `--dht-listen-port=${task.port}`,
    `--dht-file-path=${task.folder}.dht`,
    '--enable-dht6=false',
    '--bt-enable-lpd=false',
    '--enable-peer-exchange=false',
    '--disable-ipv6=true',
    '--no-conf=true',
    '--check-integrity=true',
    '--seed-ratio=0.0',
    '--file-allocation=none',
    '--summary-interval=0',
    `--listen-port=${task.port}`,
    task.torrent,
  ])
}

async function rtorrent(task: Task): Promise<Program> {
  const config = `${task.folder}.config`
  await mkdir(config)
  const settings = [
    'system.daemon.set = true',
    `session.path.set = "${config}"`,
    `directory.default.set = "${task.folder}"`,
    `network.port_range.set = ${task.port}-${task.port}`,
    'network.port_random.set = no',
    'dht.mode.set = disable',
    'protocol.pex.set = no',
    'trackers.use_udp.set = yes',
  ]
  await writeFile(join(config, 'rtorrent.rc'), `${settings.join('\n')}\n`)
  return await started('rtorrent', task, 'rtorrent', [
    '-n',
    '-o',
    `import=${join(config, 'rtorrent.rc')}`,
    task.torrent,
  ])
}
