import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readHashFile } from './hash-file.ts'
import { infoHashWords } from './info-hash-words.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-lists-'))
})
afterAll(async () => await rm(folder, { recursive: true, force: true }))

const read = async (text: string) => {
  const path = join(folder, 'list')
  await writeFile(path, text)
  return await readHashFile('access.allow', path, Math.random)
}

const words = (hex: string): Int32Array => {
  const into = new Int32Array(5)
  infoHashWords(hex, into)
  return into
}

const [one, two, three] = ['1'.repeat(40), 'aB'.repeat(20), 'F'.repeat(40)] as const

it('reads 40 hex digits a line, and leaves comments to people', async () => {
  const set = await read(`\u{feff}# ours\n\n${one}\r\n  ${two} # since May\n#${three}\n${one}\n${three}`)
  expect(set.size).toBe(3)
  for (const hex of [one, two.toLowerCase(), three]) expect(set.has(words(hex))).toBe(true)
})

it.each([
  ['no infohash', `${one}\nhello\n`, /access\.allow names .*list, which cannot be used: line 2 is no infohash/],
  ['one that is too short', `\n\n${one.slice(1)}`, /line 3/],
  ['two on a line', `${one} ${two}`, /line 1/],
  ['no text at all', '\u{0}\u{1}\u{2}'.repeat(100), /line 1/],
  ['a line without end', `${one}\n${'#'.repeat(300_000)}`, /line 2 is too long/],
])('refuses %s and says where', async (_what, text, message) => {
  await expect(read(text)).rejects.toThrow(message)
})

it('refuses a file that is not there, and takes no path for no file', async () => {
  await expect(readHashFile('access.deny', join(folder, 'missing'), Math.random)).rejects.toThrow(
    /access\.deny.*ENOENT/,
  )
  await expect(readHashFile('access.deny', folder, Math.random)).rejects.toMatchObject({ code: 'hash_file' })
  expect((await readHashFile('access.deny', '', Math.random)).size).toBe(0)
})

it('lets others go on while it reads many', async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  const set = await read(Array.from({ length: 30_000 }, (_, n) => n.toString(16).padStart(40, '0')).join('\n'))
  clearInterval(timer)
  expect(set.size).toBe(30_000)
  expect(turns).toBeGreaterThan(2)
})
