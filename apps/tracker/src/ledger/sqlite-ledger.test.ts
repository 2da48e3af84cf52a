import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SqliteLedger } from './sqlite-ledger.ts'
import { ledgerContract } from './testing/ledger-contract.ts'

ledgerContract('SqliteLedger', async (now) => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-ledger-'))
  return {
    open: async () => new SqliteLedger(join(folder, 'ledger.db'), now),
    wipe: async () => {
      for (const end of ['', '-wal', '-shm']) await rm(join(folder, `ledger.db${end}`), { force: true })
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
})

let folder: string
let path: string
let ledger: SqliteLedger

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-ledger-'))
  path = join(folder, 'ledger.db')
  ledger = new SqliteLedger(path, Date.now)
})

afterEach(async () => {
  await ledger.close()
  await rm(folder, { recursive: true, force: true })
})

it('is a file that only its owner reads, without any passkey in it', async () => {
  const { passkey } = await ledger.create('the label')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const bytes = Buffer.concat([await readFile(path), await readFile(`${path}-wal`)])
  expect(bytes.includes('the label')).toBe(true)
  expect(bytes.includes(passkey)).toBe(false)
})

it('says what is wrong with its file, and works once that is mended', async () => {
  await writeFile(path, 'no database at all, but long enough to look like one'.repeat(100))
  await expect(ledger.open()).rejects.toThrow(
    `The ledger ${path} cannot be opened (file is not a database): it is another file`,
  )
  await rm(path)
  await ledger.open()
})

it('may be opened by several at once, before it is there', async () => {
  const others = Array.from({ length: 3 }, () => new SqliteLedger(path, Date.now))
  await Promise.all([ledger, ...others].map((one) => one.open()))
  const made = await Promise.all([ledger, ...others].map((one) => one.create('x')))
  expect(made.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4])
  await Promise.all(others.map((one) => one.close()))
})

it('says so when its file does not do what it should, and goes on when it does', async () => {
  await ledger.create('a')
  const db = new DatabaseSync(path)
  db.exec('ALTER TABLE key RENAME TO lost')
  await expect(ledger.create('x')).rejects.toThrow(/^The ledger at .* cannot be used now \(no such table: .*key\)/)
  db.exec('ALTER TABLE lost RENAME TO key')
  db.close()
  expect((await ledger.create('b')).id).toBe(2)
})

it('takes nothing into a file that is gone, says so, and goes on when it is back', async () => {
  await ledger.create('a')
  await rename(path, `${path}.elsewhere`)
  await expect(ledger.setListed('allowed', ['1'.repeat(40)], true)).rejects.toThrow('was removed or replaced')
  await expect(ledger.changesSince(undefined)).rejects.toThrow('was removed or replaced')
  await rename(`${path}.elsewhere`, path)
  expect((await ledger.create('b')).id).toBe(2)
})

it('leaves a file of a later version alone', async () => {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA user_version = 2')
  db.close()
  await expect(ledger.open()).rejects.toMatchObject({ code: 'ledger_too_new' })
})
