import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Program, type TestHost, until } from '../harness/index.ts'

/** Downloads, on `host`, what a magnet names into `folder`, and resolves once every byte is there. */
export type Client = (host: TestHost, magnet: string, folder: string) => Promise<void>

const limit = 90_000

export const clients: Readonly<Record<string, Client>> = {
  'transmission-cli': transmission,
  aria2c: aria2,
  libtorrent: (host, magnet, folder) => libtorrent(host, magnet, folder),
}

/** libtorrent that speaks to nobody without encryption: of everything, or of the handshake alone. */
export const encryptedClients: Readonly<Record<string, Client>> = {
  'RC4 throughout': (host, magnet, folder) => libtorrent(host, magnet, folder, 'rc4'),
  'plain text after an encrypted handshake': (host, magnet, folder) => libtorrent(host, magnet, folder, 'plaintext'),
}

/** Runs until it says that it is done; ended by this process, since some clients go on seeding. */
async function run(program: Program, done: () => boolean): Promise<void> {
  try {
    await until(done, { within: limit, what: `${program.name} has everything` })
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${program.output()}`, { cause: error })
  } finally {
    await program.end('SIGKILL')
  }
}

async function transmission(host: TestHost, magnet: string, folder: string): Promise<void> {
  const config = `${folder}.config`
  await mkdir(config)
  const off = Object.fromEntries(
    ['dht', 'lpd', 'utp', 'port-forwarding', 'rpc'].map((name) => [`${name}-enabled`, false]),
  )
  await writeFile(join(config, 'settings.json'), JSON.stringify(off))
  const script = join(config, 'done.sh')
  await writeFile(script, `#!/bin/sh\n: > '${config}/done'\necho all bytes are there\n`)
  await chmod(script, 0o700)
  const port = await freePort()
  const program = new Program({
    name: 'transmission-cli',
    ...host.command('transmission-cli', ['-M', '-g', config, '-w', folder, '-p', String(port), '-f', script, magnet]),
    env: { HOME: config },
  })
  await run(program, () => program.found((line) => (line.includes('all bytes are there') ? true : undefined)) ?? false)
}

async function aria2(host: TestHost, magnet: string, folder: string): Promise<void> {
  const program = new Program({
    name: 'aria2c',
    ...host.command('aria2c', [
      `--dir=${folder}`,
      '--enable-dht=false',
      '--enable-dht6=false',
      '--bt-enable-lpd=false',
      '--disable-ipv6=true',
      '--no-conf=true',
      '--seed-time=0',
      '--file-allocation=none',
      '--summary-interval=0',
      `--listen-port=${await freePort()}`,
      magnet,
    ]),
    env: { HOME: folder },
  })
  await run(program, () => {
    if (program.ended !== undefined && program.ended !== 0) throw new Error(`it ended with ${program.ended}`)
    return program.ended === 0
  })
}

async function libtorrent(host: TestHost, magnet: string, folder: string, ...encryption: string[]): Promise<void> {
  const script = join(import.meta.dirname, 'libtorrent-client.py')
  const program = new Program({
    name: 'libtorrent',
    ...host.command('/usr/bin/python3', [script, magnet, folder, ...encryption]),
    env: { HOME: folder },
  })
  await run(program, () => program.ended === 0)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
