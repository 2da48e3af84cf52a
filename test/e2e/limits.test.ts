import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  handshake,
  Leecher,
  type Media,
  Network,
  RawPeer,
  type Seeder,
  seededBytes,
  sha256,
  sha256OfFile,
  until,
} from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

const bytes = seededBytes(31, 60_000_000)
let folder: string
let settings: string
let network: Network
let seeder: Seeder
let item: Media
let leecher: Leecher

const limit = (uploadLimit: number, more = '') =>
  writeFile(settings, `[swarm]\nuploadLimit = ${uploadLimit}\nmaxConnsPerItem = 20\n${more}`)
const reload = () => process.kill(seeder.pid, 'SIGHUP')
const logged = (fields: Record<string, unknown>) =>
  until(() => seeder.logged(fields), { within: 10_000, what: `the log says ${JSON.stringify(fields)}` })
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-limits-'))
  settings = join(folder, 'seeder.toml')
  await limit(500_000)
  network = await Network.start({ seeders: 1, tracker: false, settings: { config: settings } })
  seeder = network.first
  item = await seeder.publish('limited.bin', bytes)
  leecher = new Leecher(item.id, folder, await seeder.peerAddress())
})

afterEach(async () => {
  await leecher.end()
  await network.close()
  await rm(folder, { recursive: true })
})

const whole = async () => {
  await leecher.finished(30_000)
  expect(await sha256OfFile(join(folder, 'limited.bin'))).toBe(sha256(bytes))
}

describe.skipIf(lacks('libtorrent'))('with libtorrent as the leecher', () => {
  test('the rate is that of the settings file, and follows it on SIGHUP unless the file is wrong', async () => {
    await leecher.reaches(250_000)
    expect(Math.abs((await leecher.shareOf(500_000)) - 1)).toBeLessThan(0.15)

    await limit(2_000_000, 'trackers = ["http://127.0.0.1:1/announce"]')
    reload()
    await logged({ msg: 'the settings were read again' })
    // What was on its way at the old rate has arrived.
    await leecher.reaches(leecher.bytes + 2_000_000)
    expect(Math.abs((await leecher.shareOf(2_000_000)) - 1)).toBeLessThan(0.15)
    const lines = seeder.output()
    expect(lines).toMatch(/"applied":\["swarm\.uploadLimit"\]/)
    expect(lines).toMatch(/"pending":\["swarm\.trackers"\].*hold after a restart/)

    await writeFile(settings, '[swarm]\nuploadLimit = [')
    reload()
    await logged({ msg: 'the settings are wrong: nothing was changed' })
    await limit(-1)
    reload()
    await until(() => /swarm\.uploadLimit.*got -1, expected a whole number from 0/.test(seeder.output()), {
      within: 10_000,
      what: 'the wrong value is named',
    })
    expect(Math.abs((await leecher.shareOf(2_000_000)) - 1)).toBeLessThan(0.15)
    const metrics = await (await fetch(`${seeder.url}/metrics`)).text()
    expect(metrics).toContain('eldernode_swarm_limit{limit="uploadLimit"} 2000000')

    await limit(0)
    reload()
    await whole()
  })

  test('a pause stops the bytes and closes the connection, and a resume lets them go on', async () => {
    await leecher.reaches(500_000)
    expect((await seeder.admin('POST', `/v1/media/${item.id}/pause`)).status).toBe(200)
    await until(() => leecher.peers === 0, { within: 5_000, what: 'the connection is closed' })
    const before = leecher.bytes
    const stranger = await RawPeer.open(Number((await seeder.peerAddress()).split(':').at(-1)))
    await stranger.send(handshake(item.id))
    await expect(stranger.read(68)).rejects.toThrow('the connection ended after 0 of 68 bytes')
    expect(await (await seeder.admin('GET', `/v1/media/${item.id}`)).json()).toMatchObject({ paused: true })
    const [webSeed, content] = await Promise.all([
      fetch(`${seeder.url}/v1/media/${item.id}/ws/limited.bin`),
      seeder.content(item.id),
    ])
    expect([webSeed.status, webSeed.headers.get('retry-after')]).toEqual([503, '60'])
    expect(content).toEqual({ status: 200, sha256: sha256(bytes) })
    expect(leecher.bytes).toBe(before)

    await limit(0)
    reload()
    expect((await seeder.admin('POST', `/v1/media/${item.id}/resume`)).status).toBe(200)
    // One that was turned away for a while may wait for minutes; a new one has the bytes that came before.
    await leecher.end()
    leecher = new Leecher(item.id, folder, await seeder.peerAddress())
    await whole()
  })
})
