import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { infoHashesIn, wordsOf } from './info-hash.ts'
import { listFile, readLists, writeLists } from './list-file.ts'

const [a, b, c] = ['01'.repeat(20), 'ff'.repeat(20), '00112233445566778899aabbccddeeff00112233'] as const
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eldernode-list-'))
  path = join(folder, listFile)
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

test('what is written is read again, and nobody else may read it', () => {
  const lists = { live: wordsOf([a, b]), denied: wordsOf([c]) }
  writeLists(path, lists)
  const read = readLists(path)
  expect(read).toEqual(lists)
  expect([...infoHashesIn(lists.live), ...infoHashesIn(lists.denied)]).toEqual([a, b, c])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  writeLists(path, { live: wordsOf([]), denied: wordsOf([]) })
  expect(readLists(path)).toEqual({ live: wordsOf([]), denied: wordsOf([]) })
  expect(readdirSync(folder)).toEqual([listFile])
})

test('none is none', () => {
  expect(readLists(path)).toBeUndefined()
})

test('one that cannot be read is damaged', () => {
  mkdirSync(path)
  expect(readLists(path)).toBe('damaged')
})

test('a damaged one is not believed, whichever byte it is', () => {
  writeLists(path, { live: wordsOf([a]), denied: wordsOf([b]) })
  const whole = readFileSync(path)
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] as number) ^ 1
    writeFileSync(path, damaged)
    expect(readLists(path), `byte ${at}`).toBe('damaged')
    writeFileSync(path, whole.subarray(0, at))
    expect(readLists(path), `${at} bytes`).toBe('damaged')
  }
  writeFileSync(path, Buffer.concat([whole, Buffer.of(0)]))
  expect(readLists(path)).toBe('damaged')
})
