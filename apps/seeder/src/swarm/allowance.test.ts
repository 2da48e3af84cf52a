import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { Egress } from '../egress/index.ts'
import { Allowance } from './allowance.ts'
import type { SwarmOptions } from './options.ts'
import { StunResponder } from './webrtc/stun-responder.ts'

const closers: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

function allowance(options: Partial<SwarmOptions> = {}): Allowance {
  const made = new Allowance({
    port: 0,
    host: '127.0.0.1',
    trackers: [],
    shelf: { open: () => Promise.resolve(undefined) },
    egress: new Egress({ allowPrivate: true, allowedOrigins: [] }),
    logger: pino({ level: 'silent' }),
    ...options,
  })
  closers.push(() => made.close())
  return made
}

test('lower limits of WebRTC connections and of open files hold at once', async () => {
  const made = allowance()
  const folder = await mkdtemp(join(tmpdir(), 'allowance-'))
  closers.push(() => rm(folder, { recursive: true }))
  for (let index = 0; index < 5; index++) {
    await made.channels.offer(() => {})
    await made.openFiles.use(join(folder, String(index)), 'write', () => Promise.resolve())
  }
  expect([made.channels.size, made.openFiles.size]).toEqual([5, 5])
  made.limit({ maxChannels: 2, maxOpenFiles: 3 })
  expect([made.channels.size, made.openFiles.size]).toEqual([2, 3])
})

test('STUN servers of the settings are asked', async () => {
  const server = await StunResponder.open(0)
  closers.push(() => server.close())
  const offer = await allowance({ iceServers: [server.url] }).channels.offer(() => {})
  expect(offer?.sdp).toMatch(/ typ srflx/)
})
