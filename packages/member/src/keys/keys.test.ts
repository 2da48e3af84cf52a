import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toBase64url, WebIdentity, WebVerifier } from '@eldernode/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BrokenSecretError, ExposedSecretError } from './errors.ts'
import { createVerifier, openAdminToken, openIdentity } from './index.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
let folder: string
const at = (name: string) => join(folder, name)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eldernode-keys-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

describe('openIdentity', () => {
  test('makes a key for its owner only, once, and leaves no draft', () => {
    const made = openIdentity(at('node.key'))
    expect(statSync(at('node.key')).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['node.key'])
    expect(openIdentity(at('node.key')).id).toBe(made.id)
    expect(openIdentity(at('owner.key')).id).not.toBe(made.id)
  })

  test('signs as the key it names, in agreement with WebCrypto both ways', async () => {
    const identity = openIdentity(at('node.key'))
    const signature = identity.sign(bytes('hello'))
    expect(await new WebVerifier().verify(identity.id, bytes('hello'), signature)).toBe(true)
    expect(createVerifier().verify(identity.id, bytes('hello'), signature)).toBe(true)
    const web = await WebIdentity.generate()
    expect(createVerifier().verify(web.id, bytes('x'), await web.sign(bytes('x')))).toBe(true)
  })

  test('refuses a key that others may read, and says what to run', () => {
    openIdentity(at('node.key'))
    chmodSync(at('node.key'), 0o640)
    expect(() => openIdentity(at('node.key'))).toThrow(ExposedSecretError)
    expect(() => openIdentity(at('node.key'))).toThrow(/mode 0640.*chmod 600/)
  })

  test.each([
    ['empty', ''],
    ['not a key', 'hello'],
    ['truncated', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n'],
    ['too large', 'x'.repeat(5000)],
    ['of another kind', generateKeyPairSync('x25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()],
    ['public', generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }).toString()],
  ])('refuses a file that is %s, and leaves it as it is', (_, text) => {
    writeFileSync(at('node.key'), text, { mode: 0o600 })
    expect(() => openIdentity(at('node.key'))).toThrow(BrokenSecretError)
    expect(readFileSync(at('node.key'), 'utf8')).toBe(text)
  })

  test('refuses a folder in its place', () => {
    mkdirSync(at('node.key'), { mode: 0o700 })
    expect(() => openIdentity(at('node.key'))).toThrow(BrokenSecretError)
  })
})

describe('createVerifier', () => {
  test('answers false for all that is not the signature', () => {
    const identity = openIdentity(at('node.key'))
    const verifier = createVerifier()
    const signature = identity.sign(bytes('hello'))
    const flipped = Uint8Array.from(signature, (byte, i) => (i === 40 ? byte ^ 1 : byte))
    expect(verifier.verify(identity.id, bytes('hullo'), signature)).toBe(false)
    expect(verifier.verify(identity.id, bytes('hello'), flipped)).toBe(false)
    expect(verifier.verify(identity.id, bytes('hello'), signature.subarray(1))).toBe(false)
    expect(verifier.verify(identity.id, bytes('hello'), new Uint8Array())).toBe(false)
    for (const id of ['', 'constructor', '__proto__', '!'.repeat(43), toBase64url(randomBytes(31)), '_'.repeat(43)]) {
      expect(verifier.verify(id, bytes('hello'), signature)).toBe(false)
    }
  })

  test('still verifies a signer whose key it had to forget', () => {
    const identity = openIdentity(at('node.key'))
    const signature = identity.sign(bytes('x'))
    const verifier = createVerifier(2)
    expect(verifier.verify(identity.id, bytes('x'), signature)).toBe(true)
    for (const name of ['a', 'b', 'c']) {
      const other = openIdentity(at(name))
      expect(verifier.verify(other.id, bytes('x'), other.sign(bytes('x')))).toBe(true)
      expect(verifier.verify(other.id, bytes('x'), signature)).toBe(false)
    }
    expect(verifier.verify(identity.id, bytes('x'), signature)).toBe(true)
  })
})

describe('openAdminToken', () => {
  test('makes 32 random bytes for its owner only, and matches them alone', () => {
    const token = openAdminToken(at('admin.token'))
    const text = readFileSync(at('admin.token'), 'utf8').trim()
    expect(Buffer.from(text, 'base64url')).toHaveLength(32)
    expect(statSync(at('admin.token')).mode & 0o777).toBe(0o600)
    expect(token.matches(text)).toBe(true)
    expect(openAdminToken(at('admin.token')).matches(text)).toBe(true)
    for (const wrong of ['', text.slice(1), `${text}x`, text.toLowerCase(), 'constructor']) {
      expect(token.matches(wrong)).toBe(false)
    }
  })

  test.each(['', 'short', 'with spaces in the middle of it, long enough'])('refuses a file that holds %j', (text) => {
    writeFileSync(at('admin.token'), text, { mode: 0o600 })
    expect(() => openAdminToken(at('admin.token'))).toThrow(BrokenSecretError)
  })

  test('refuses a token that others may read', () => {
    openAdminToken(at('admin.token'))
    chmodSync(at('admin.token'), 0o604)
    expect(() => openAdminToken(at('admin.token'))).toThrow(ExposedSecretError)
  })
})
