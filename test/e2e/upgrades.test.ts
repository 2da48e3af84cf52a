import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Seeder } from '../harness/index.ts'

let folder: string
let seeder: Seeder
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-upgrades-'))
  seeder = new Seeder('node', join(folder, 'node'), { 'network.allowPrivate': true, 'swarm.trackers': [] })
  await seeder.start()
  await seeder.ready()
})
afterAll(async () => {
  await seeder.stop()
  await rm(folder, { recursive: true, force: true })
})

test.each(['h2c', 'TLS/1.2', 'h2c, websocket2'])(
  'a request that offers to become %s is answered as it is',
  async (upgrade) => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${seeder.url}/health`, {
        headers: { connection: 'Upgrade, HTTP2-Settings', upgrade, 'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA' },
      })
        .on('response', (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(200)
  },
)
