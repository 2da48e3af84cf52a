import { hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, test } from 'vitest'
import { toBase64url } from '../identity/index.ts'
import {
  auditKey,
  auditResultSchema,
  isAbout,
  MOST_FAILURES,
  packTags,
  readAuditKey,
  tagOf,
  tagPairs,
  tagsOf,
} from './index.ts'
import type { AuditResult } from './index.ts'

const holder = toBase64url(new Uint8Array(32).fill(9))
const tag = (n: number): string => `ab${n.toString(16).padStart(14, '0')}`
const result = (more: Partial<AuditResult> = {}): AuditResult => ({ passedAt: 1, proven: '', failed: [], ...more })
const failure = (n: number) => ({ tag: tag(n), piece: 0, since: 1 })
const raw = (...tags: string[]): string => toBase64url(hexToBytes(tags.join('')))

describe('tags', () => {
  test('are packed in order, once each, and read again', () => {
    const tags = [tag(2), tag(1), 'ffffffffffffffff', tag(2), '0000000000000000', 'ab00000080000000']
    const pairs = tagPairs(packTags(tags))
    expect(pairs && tagsOf(pairs)).toEqual([...new Set(tags)].toSorted())
    expect(tagsOf(tagPairs('')!)).toEqual([])
    expect(tagOf('0123456789abcdef'.padEnd(40, '0'))).toBe('0123456789abcdef')
  })

  test.each([
    ['out of order', raw(tag(2), tag(1))],
    ['repeated', raw(tag(1), tag(1))],
    ['cut', raw(tag(1)).slice(0, -2)],
    ['of another alphabet', '++++++++++'],
    ['with spare bits', `${raw(tag(1)).slice(0, -1)}B`],
  ])('%s are none', (_, proven) => {
    expect(tagPairs(proven)).toBeUndefined()
    expect(auditResultSchema.safeParse(result({ proven })).success).toBe(false)
  })
})

describe('a result', () => {
  test('of two full buckets, public and not, fits an envelope with as many failures as may be', () => {
    const proven = packTags(Array.from({ length: 3000 }, (_, n) => tag(n)))
    const failed = Array.from({ length: MOST_FAILURES }, (_, n) => ({ tag: tag(n), piece: 2 ** 31, since: 2 ** 41 }))
    const full = result({ proven, failed })
    expect(auditResultSchema.parse(full)).toEqual(full)
    expect(JSON.stringify(full).length).toBeLessThan(40_960 - 500)
    const more = packTags(Array.from({ length: 3001 }, (_, n) => tag(n)))
    expect(auditResultSchema.safeParse(result({ proven: more })).success).toBe(false)
    expect(auditResultSchema.safeParse(result({ failed: [...failed, failure(9999)] })).success).toBe(false)
  })

  test('is refused with failures out of order, twice, or of no tag', () => {
    for (const failed of [[failure(2), failure(1)], [failure(1), failure(1)], [{ ...failure(1), tag: 'ab' }]]) {
      expect(auditResultSchema.safeParse(result({ failed })).success).toBe(false)
    }
  })

  test('speaks of the bucket that its key names', () => {
    const key = auditKey(holder, 'ab')
    expect(readAuditKey(key)).toEqual({ holder, bucket: 'ab', number: 0xab })
    expect(isAbout(result({ proven: packTags([tag(1)]), failed: [failure(2)] }), key)).toBe(true)
    expect(isAbout(result(), key)).toBe(true)
    expect(isAbout(result({ proven: packTags([tag(1), 'ac00000000000000']) }), key)).toBe(false)
    expect(isAbout(result({ proven: packTags([tag(1), 'aa00000000000000']) }), key)).toBe(false)
    expect(isAbout(result({ failed: [{ ...failure(1), tag: 'ac00000000000000' }] }), key)).toBe(false)
  })

  test.each(['', 'ab', `${holder}`, `${holder}.`, `${holder}.AB`, `${holder}.abc`, `${holder}.ab.cd`, `x${holder}.ab`])(
    '%j is no key of one',
    (key) => {
      expect(readAuditKey(key)).toBeUndefined()
      expect(isAbout(result(), key)).toBe(false)
    },
  )
})
