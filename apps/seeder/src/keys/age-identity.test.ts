import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokenSecretError } from '@eldernode/member/keys'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openAgeIdentity } from './index.ts'

let folder: string
const at = (name: string) => join(folder, name)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eldernode-keys-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

describe('openAgeIdentity', () => {
  test('makes one identity, for its owner only', async () => {
    const { recipient } = await openAgeIdentity(at('age.key'))
    expect(recipient).toMatch(/^age1[02-9ac-hj-np-z]{58}$/)
    expect(statSync(at('age.key')).mode & 0o777).toBe(0o600)
    expect((await openAgeIdentity(at('age.key'))).recipient).toBe(recipient)
  })

  test('reads what age-keygen writes, comments included', async () => {
    const { recipient } = await openAgeIdentity(at('age.key'))
    const secret = readFileSync(at('age.key'), 'utf8')
    writeFileSync(at('other.key'), `# created: 2026-01-01T00:00:00Z\n# public key: ${recipient}\n${secret}`, {
      mode: 0o600,
    })
    expect((await openAgeIdentity(at('other.key'))).recipient).toBe(recipient)
  })

  test.each(['', 'hello', 'AGE-SECRET-KEY-1QQQQ\n'])('refuses %j and leaves it', async (text) => {
    writeFileSync(at('age.key'), text, { mode: 0o600 })
    await expect(openAgeIdentity(at('age.key'))).rejects.toThrow(BrokenSecretError)
    expect(readFileSync(at('age.key'), 'utf8')).toBe(text)
  })
})
