import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, vi } from 'vitest'
import { createHashing, type Hashing } from '../../ingest/index.ts'
import { openLibrary, type Item, type Library, type StorageState } from '../../library/index.ts'
import { createUpkeep, type Upkeep } from '../index.ts'

export let folder: string
let hashing: Hashing
export let library: Library
export let upkeep: Upkeep
/** What upkeep told of items: infohash and whether it is held. */
export let checked: string[]
export let storage: StorageState[]

export async function hold(name: string): Promise<Item> {
  const bytes = Buffer.from(name)
  const staging = await library.stage()
  await writeFile(staging.filePath(0), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const infoHash = createHash('sha1').update(bytes).digest('hex')
  const file = { path: name, size: bytes.length, sha256, type: 'text/plain' }
  const item: Item = {
    infoHash,
    name,
    size: bytes.length,
    pieceLength: 16_384,
    files: [file],
    sha256,
    publisher: 'p',
    replicas: { min: 1, target: 3 },
    createdAt: 1,
    state: 'live',
    owner: '',
    access: 'public',
    about: {},
  }
  return (await library.commit(staging, item, Buffer.from('de'))).item
}

/** Fakes the clock. The hashing goes on in real time. */
export const fakeTime = () =>
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })

/** Closes the library and opens it again, with an upkeep that is yet to be started. */
export async function reopen(): Promise<void> {
  await upkeep.close()
  library.close()
  await open()
}

async function open(): Promise<void> {
  library = await openLibrary({ folder, digest: hashing.digest })
  upkeep = createUpkeep({
    library,
    knowsTime: () => true,
    now: () => Date.now(),
    log: pino({ level: 'silent' }),
    expire: (infoHash) => Promise.reject(new Error(`${infoHash} has no expiry`)),
    previews: async ({ about }) => about.previews,
    collect: (infoHash) => Promise.reject(new Error(`${infoHash} is no preview`)),
    checked: (infoHash, held) => checked.push(`${infoHash} ${held}`),
    storageChanged: (state) => storage.push(state),
  })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-upkeep-'))
  hashing = createHashing()
  checked = []
  storage = []
  await open()
})

afterEach(async () => {
  vi.useRealTimers()
  await upkeep.close()
  library.close()
  await hashing.close()
  await rm(folder, { recursive: true })
})
