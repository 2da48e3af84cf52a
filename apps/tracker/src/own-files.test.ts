import { loadSettings } from '@eldernode/core'
import { takeLock } from '@eldernode/member/lock'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { trackerSchema } from './config.ts'
import { HeldError, takeOwnFiles } from './own-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eldernode-own-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const take = (...argv: string[]): (() => void) => {
  const { values } = loadSettings(trackerSchema, { argv: [...argv, `--network.folder=${folder}`] })
  return takeOwnFiles(values, pino({ level: 'silent' }))
}
const owner = `--network.owner=${'A'.repeat(43)}`

test.each([
  ['network.folder', owner],
  ['snapshot', '--snapshot=<folder>/peers'],
  ['ledger.file', '--ledger.file=<folder>/ledger.db'],
])('%s is of one tracker at a time', (key, flag) => {
  const flags = [flag.replace('<folder>', folder), '--cluster.workers=2']
  const release = take(...flags)
  expect(() => take(...flags)).toThrow(HeldError)
  expect(() => take(...flags)).toThrow(`${key}: another eldernode process works with ${folder}`)
  release()
  take(...flags)()
})

test('of a start that is refused nothing stays held', () => {
  const other = takeLock(join(folder, 'ledger.db.lock'))
  const flags = [owner, `--ledger.file=${join(folder, 'ledger.db')}`]
  expect(() => take(...flags)).toThrow('ledger.file')
  other()
  take(...flags)()
})

test("a running seeder's folder is refused, and what is not used is not held", () => {
  const seeder = takeLock(join(folder, 'lock'))
  expect(() => take(owner)).toThrow(HeldError)
  take()()
  take(`--ledger.file=${join(folder, 'ledger.db')}`, '--cluster.valkey=redis://host')()
  expect(existsSync(join(folder, 'ledger.db.lock'))).toBe(false)
  seeder()
})

test.each(['peers', 'peers.1'])('a file %s of somebody else is refused before a worker could replace it', (name) => {
  writeFileSync(join(folder, name), 'precious')
  expect(() => take(`--snapshot=${join(folder, 'peers')}`, '--cluster.workers=2')).toThrow(/^snapshot: .*is no file of/)
})

test('a place that takes no lock is named with its setting', () => {
  expect(() => take(`--ledger.file=${join(folder, 'nowhere', 'x')}`)).toThrow(/ledger\.file .*x\.lock cannot be made/)
  writeFileSync(join(folder, 'lock'), 'this is something else entirely')
  expect(() => take(owner)).toThrow(/network\.folder .*lock cannot be made/)
})
