import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digest, metainfoOf, sha256, survey, tempFolder } from './fixtures/item.ts'
import { openLibrary } from './index.ts'

const rounds = 10
const program = new URL('./fixtures/work-until-killed.ts', import.meta.url).pathname

let folder: string
beforeAll(async () => {
  folder = await tempFolder()
})
afterAll(() => rm(folder, { recursive: true }))

/** Lets a process work on the folder, kills it some time after its first word, and returns all that it said. */
async function workAndKill(round: number): Promise<string[]> {
  const args = ['--conditions=@eldernode/source', program, folder, String(round)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const killAfter = Math.floor(Math.random() * 120)
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line)
    // Right after a line most work has just ended; a little later it is amid.
    if (lines.length === 1 + killAfter) setTimeout(() => child.kill('SIGKILL'), Math.random() * 20)
  })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
  return lines
}

test(`killed at ${rounds} random moments, it holds what it said it holds, whole, and nothing else`, async () => {
  const held = new Set<string>()
  /** Said to be going; whether they went is not known. */
  const going = new Set<string>()
  for (let round = 0; round < rounds; round++) {
    for (const line of await workAndKill(round)) {
      const [word, infoHash = ''] = line.split(' ')
      if (word === 'held') held.add(infoHash)
      if (word === 'removing') going.add(infoHash)
      if (word === 'removing') held.delete(infoHash)
      if (word === 'removed') going.delete(infoHash)
    }
    const library = await openLibrary({ folder, digest })
    for (const infoHash of library.suspects()) expect(await library.verify(infoHash)).toBe(true)
    await survey(library)
    const items = [...library.all()]
    const needed = new Set<string>()
    for (const item of items) {
      expect(Buffer.from(library.metainfo(item.infoHash) ?? [])).toEqual(metainfoOf(item))
      for (const file of item.files) needed.add(file.sha256)
    }
    const there = new Set(items.map((item) => item.infoHash))
    expect([...held].filter((infoHash) => !there.has(infoHash))).toEqual([])
    for (const infoHash of going) if (there.has(infoHash)) held.add(infoHash)
    going.clear()

    const names = await readdir(join(folder, 'blobs'), { recursive: true })
    const blobs = names.filter((name) => name.includes('/')).map((name) => name.slice(3))
    expect(blobs.toSorted()).toEqual([...needed].toSorted())
    let bytes = 0
    for (const name of blobs) {
      const content = await readFile(library.blobPath(name))
      expect(sha256(content)).toBe(name)
      bytes += content.length
    }
    expect([library.suspects(), library.damaged()]).toEqual([[], []])
    expect(library.totals()).toEqual({ items: items.length, bytes })
    expect(await readdir(join(folder, 'incoming'))).toEqual([])
    library.close()
  }
}, 180_000)
