import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { BrokenSecretError, ExposedSecretError } from './errors.ts'

const othersMayRead = 0o077
const largestSecret = 4096

/**
 * Reads a secret of this node, or makes it on the first start with mode 0600.
 * @returns its text, and whether it was made by this call
 * @throws ExposedSecretError when others may read it, BrokenSecretError when it is no file of a plausible size
 */
export function readOrCreateSecret(path: string, make: () => string): { text: string; created: boolean } {
  const present = readSecret(path)
  if (present !== undefined) return { text: present, created: false }
  const text = make()
  if (place(path, text)) return { text, created: true }
  // Another process was faster; its secret is the one that counts.
  return { text: readSecret(path) ?? fail(path), created: false }
}

function readSecret(path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw new BrokenSecretError(path, 'a readable secret', { cause: error })
  }
  try {
    const stat = fstatSync(file)
    if (!stat.isFile() || stat.size > largestSecret) fail(path)
    if ((stat.mode & othersMayRead) !== 0) throw new ExposedSecretError(path, stat.mode & 0o7777)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** Puts a complete file in place or nothing: a link never replaces what is there, unlike a rename. */
function place(path: string, text: string): boolean {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
    linkSync(draft, path)
    syncFolder(dirname(path))
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  } finally {
    closeSync(file)
    unlinkSync(draft)
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function fail(path: string): never {
  throw new BrokenSecretError(path, 'a readable secret')
}
