import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MediaDetails } from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openLibrary, type Library } from '../library/index.ts'
import { MediaDescriber, type DescriberOptions } from './describer.ts'

let folder: string
let library: Library
let describer: MediaDescriber
let said: Map<string, MediaDetails>
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-describer-'))
  said = new Map()
  await open()
})
afterEach(async () => {
  await describer?.close()
  library.close()
  await rm(folder, { recursive: true })
})

async function open(): Promise<void> {
  const digest = () => Promise.reject(new Error('nothing to hash'))
  library = await openLibrary({ folder: join(folder, 'data'), digest })
}

/** A recording as far as its type goes, to be described. */
async function hold(name: string): Promise<string> {
  const bytes = Buffer.from(name)
  const staging = await library.stage()
  await writeFile(staging.filePath(0), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const infoHash = createHash('sha1').update(bytes).digest('hex')
  const item = {
    infoHash,
    name,
    size: bytes.length,
    pieceLength: 16_384,
    files: [{ path: name, size: bytes.length, sha256, type: 'audio/flac' }],
    sha256,
    publisher: 'p',
    replicas: { min: 1, target: 1 },
    createdAt: 1,
    state: 'live' as const,
    owner: '',
    access: 'public' as const,
    about: {},
  }
  await library.commit(staging, item, Buffer.from('de'), { describe: true })
  return infoHash
}

/** A program that stands for ffprobe. */
async function program(script: string): Promise<string> {
  const path = join(folder, 'ffprobe')
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

const answer = `echo '{"streams":[{"index":0,"codec_type":"audio","codec_name":"flac"}],"format":{"duration":"1"}}'`

function start(ffprobe: string, change: Partial<DescriberOptions> = {}): void {
  describer = new MediaDescriber({
    library,
    tools: { ffprobe, ffmpeg: '' },
    previews: true,
    reveal: async () => undefined,
    publishPreview: () => Promise.reject(new Error('there are no previews')),
    say: async (infoHash, { media }) => void said.set(infoHash, media),
    most: 2,
    log: pino({ level: 'silent' }),
    now: Date.now,
    ...change,
  })
  describer.start()
}

/** How many processes were given that argument. */
async function count(argument: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return commands.filter((command) => command.split('\0').includes(argument)).length
}

test('what waits at the start is described, and what comes later when it is told', async () => {
  const first = await hold('a')
  start(await program(answer))
  await vi.waitFor(() => expect(said.has(first)).toBe(true), 10_000)
  expect(said.get(first)).toEqual({ durationMs: 1000, codecs: ['flac'] })
  const second = await hold('b')
  describer.look()
  await vi.waitFor(() => expect(said.has(second)).toBe(true), 10_000)
  await vi.waitFor(() => expect(library.descriptions.next(new Set())).toBeUndefined(), 10_000)
})

test('however many wait, two are worked on at a time', async () => {
  for (let n = 0; n < 6; n++) await hold(`item ${n}`)
  const gate = join(folder, 'gate')
  start(await program(`while [ ! -e ${gate} ]; do sleep 0.0173; done; ${answer}`))
  await vi.waitFor(async () => expect(await count('0.0173')).toBe(2), { timeout: 10_000, interval: 1 })
  for (let look = 0; look < 5; look++) {
    describer.look()
    expect(await count('0.0173')).toBeLessThanOrEqual(2)
  }
  await writeFile(gate, '')
  await vi.waitFor(() => expect(said.size).toBe(6), 20_000)
})

test('one that cannot be read says nothing, and is not tried again', async () => {
  const infoHash = await hold('broken')
  start(await program('echo broken >&2; exit 1'))
  await vi.waitFor(() => expect(library.descriptions.has(infoHash)).toBe(false), 10_000)
  expect(said.size).toBe(0)
})

test('a stop ends what is under way, which waits for the next start', async () => {
  const infoHash = await hold('slow')
  start(await program('exec sleep 98799.5'))
  await vi.waitFor(async () => expect(await count('98799.5')).toBe(1), { timeout: 10_000 })
  await describer.close()
  expect(await count('98799.5')).toBe(0)
  expect(library.descriptions.has(infoHash)).toBe(true)
  library.close()
  await open()
  start(await program(answer))
  await vi.waitFor(() => expect(said.has(infoHash)).toBe(true), 10_000)
})

test('what came while a tool was missing is described once it is installed, and is not being described until then', async () => {
  const infoHash = await hold('early')
  const ffprobe = join(folder, 'ffprobe')
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  start(ffprobe, { previews: false })
  await describer.idle()
  expect([library.descriptions.has(infoHash), library.descriptions.lacking(), said.size]).toEqual([false, true, 0])
  await vi.advanceTimersByTimeAsync(180_000)
  expect(said.size).toBe(0)
  await program(answer)
  await vi.advanceTimersByTimeAsync(60_000)
  vi.useRealTimers()
  await vi.waitFor(() => expect(said.get(infoHash)).toMatchObject({ codecs: ['flac'] }), 10_000)
  await vi.waitFor(() => expect(library.descriptions.lacking()).toBe(false), 10_000)
})

test('it is described at the next start too', async () => {
  const infoHash = await hold('early')
  start('/nowhere/ffprobe', { previews: false })
  await describer.idle()
  await describer.close()
  start(await program(answer), { previews: false })
  await vi.waitFor(() => expect(said.has(infoHash)).toBe(true), 10_000)
})

test('one that was begun three times and never ended is given up', async () => {
  const infoHash = await hold('deadly')
  for (let n = 0; n < 3; n++) library.descriptions.tried(infoHash)
  start(await program(answer))
  await vi.waitFor(() => expect(library.descriptions.has(infoHash)).toBe(false), 10_000)
  expect(said.size).toBe(0)
})

test('a failure of this node, which may pass, is tried again', async () => {
  const infoHash = await hold('a')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let broken = true
  start('', {
    tools: { ffprobe: await program(answer), ffmpeg: '' },
    say: async (id, { media }) => {
      if (broken) throw new Error('the graph is closed')
      said.set(id, media)
    },
  })
  await describer.idle()
  expect(library.descriptions.has(infoHash)).toBe(true)
  broken = false
  await vi.advanceTimersByTimeAsync(60_000)
  await describer.idle()
  expect(said.has(infoHash)).toBe(true)
  vi.useRealTimers()
})

test('one that was taken down meanwhile is left alone', async () => {
  const infoHash = await hold('a')
  library.retract(infoHash, Date.now() + 1_000_000)
  start(await program(answer))
  await vi.waitFor(() => expect(library.descriptions.has(infoHash)).toBe(false), 10_000)
  expect(said.size).toBe(0)
})

test('one whose bytes are in doubt waits until they are right', async () => {
  const infoHash = await hold('a')
  const [file] = library.get(infoHash)?.files ?? []
  const path = library.blobPath(file?.sha256 ?? '')
  await rm(path)
  await library.check(infoHash)
  start(await program(answer))
  await describer.idle()
  expect(said.size).toBe(0)
  expect(library.descriptions.has(infoHash)).toBe(true)
})
