import { InvalidInputError } from '@eldernode/core'
import { expect, test } from 'vitest'
import { formatCursor, parseCursor } from './cursor.ts'

const infoHash = '0123456789abcdef0123456789abcdef01234567'

test.each([0, 1, 1_700_000_000_000, Number.MAX_SAFE_INTEGER])('time %i comes back', (createdAt) => {
  expect(parseCursor(formatCursor({ createdAt, infoHash }))).toEqual({ createdAt, infoHash })
})

const valid = formatCursor({ createdAt: 1, infoHash })

test.each([
  '',
  'x',
  'null',
  valid.slice(0, -1),
  `${valid}A`,
  `${valid}=`,
  ` ${valid}`,
  valid.toUpperCase(),
  Buffer.alloc(29).toString('base64url'),
  Buffer.alloc(29, 1).toString('base64url'),
  Buffer.alloc(29, 255).toString('base64url'),
  'A'.repeat(100_000),
  "' OR 1=1 --",
])('%j is refused', (cursor) => {
  expect(() => parseCursor(cursor)).toThrow(InvalidInputError)
})
