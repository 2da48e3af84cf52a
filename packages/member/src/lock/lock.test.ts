import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LockedError, takeLock } from './index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eldernode-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('one owner at a time, and the next one when it has let go', () => {
  const path = join(folder, 'lock')
  const release = takeLock(path)
  expect(() => takeLock(path)).toThrow(LockedError)
  release()
  release()
  takeLock(path)()
})

test('what is no lock stays as it is, and cannot be taken', () => {
  const path = join(folder, 'lock')
  writeFileSync(path, 'somebody wrote something else here')
  expect(() => takeLock(path)).toThrow('not a database')
  expect(() => takeLock(join(folder, 'nowhere', 'lock'))).toThrow('unable to open')
})
