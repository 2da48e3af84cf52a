import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { announcedSha256 } from './digest.ts'

const hash = createHash('sha256').update('x')
const digest = hash.copy().digest('base64')
const hex = hash.digest('hex')
const other = createHash('sha256').update('y').digest('base64')

test('reads the SHA-256 of either header, among others', () => {
  expect(announcedSha256({})).toBeUndefined()
  expect(announcedSha256({ 'repr-digest': `sha-256=:${digest}:` })).toBe(hex)
  expect(announcedSha256({ 'content-digest': `sha-512=:abcd:, sha-256=:${digest}:` })).toBe(hex)
  expect(announcedSha256({ 'repr-digest': 'sha-512=:abcd:' })).toBeUndefined()
  expect(announcedSha256({ 'repr-digest': `sha-256=:${digest}:`, 'content-digest': `sha-256=:${digest}:` })).toBe(hex)
})

test.each([
  { 'repr-digest': 'sha-256=:abc:' },
  { 'repr-digest': `sha-256=${digest}` },
  { 'repr-digest': 'sha-256=' },
  { 'repr-digest': `sha-256=:${digest}:`, 'content-digest': `sha-256=:${other}:` },
])('refuses %j', (headers) => {
  expect(() => announcedSha256(headers)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
})
