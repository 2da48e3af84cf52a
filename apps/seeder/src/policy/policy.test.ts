import { describe, expect, test } from 'vitest'
import { offerOf, Policy, type Offer } from './policy.ts'
import { policySettings } from './settings.ts'

const alice = 'A'.repeat(43)
const bob = `${'B'.repeat(42)}A`
const infoHash = 'ab'.repeat(20)
const policy = (settings: Record<string, unknown>) => new Policy(policySettings.parse(settings))
const offer = (change: Partial<Offer> = {}): Offer => ({
  infoHash,
  size: 1000,
  publishers: [alice],
  types: ['audio/flac', 'image/png'],
  tags: ['jazz', 'live'],
  ...change,
})

describe('Policy', () => {
  test.each<[Record<string, unknown>, Partial<Offer>, string | undefined]>([
    [{}, {}, undefined],
    [{ accept: [alice] }, {}, undefined],
    [{ accept: [bob] }, {}, 'policy_publisher'],
    [{ refuse: [alice] }, {}, 'policy_publisher'],
    [{ refuse: [bob] }, {}, undefined],
    [{ refuse: [alice] }, { publishers: [alice, bob] }, undefined],
    [{ accept: [alice], refuse: [alice] }, {}, 'policy_publisher'],
    [{ maxItemBytes: 999 }, {}, 'policy_item_size'],
    [{ maxItemBytes: 1000 }, {}, undefined],
    [{ types: ['audio'] }, {}, undefined],
    [{ types: ['audio/flac'] }, {}, undefined],
    [{ types: ['audi', 'audio/fla', 'video'] }, {}, 'policy_type'],
    [{ types: ['audio'] }, { types: ['application/octet-stream'] }, 'policy_type'],
    [{ tags: ['live'] }, {}, undefined],
    [{ tags: ['rock'] }, {}, 'policy_tag'],
    [{ tags: ['rock'] }, { tags: [] }, 'policy_tag'],
    [{ maxBytes: 5999 }, {}, 'policy_bytes'],
    [{ maxBytes: 6000 }, {}, undefined],
    [
      { refuse: [alice], maxItemBytes: 1, maxBytes: 1, types: ['video'], tags: ['x'], pinned: [infoHash] },
      {},
      undefined,
    ],
  ])('%j of an item with %j: %s', (settings, change, expected) => {
    expect(policy(settings).objection(offer(change), () => 5000)).toBe(expected)
  })

  test('takes over other settings while it runs, and says whether they are other ones', () => {
    const changing = policy({})
    expect(changing.change(policySettings.parse({}))).toBe(false)
    expect(changing.change(policySettings.parse({ refuse: [alice], pinned: ['cd'.repeat(20)] }))).toBe(true)
    expect(changing.objection(offer(), () => 0)).toBe('policy_publisher')
    expect([changing.pins('cd'.repeat(20)), changing.pins(infoHash)]).toEqual([true, false])
  })

  test.each([
    { accept: ['nobody'] },
    { maxBytes: -1 },
    { maxItemBytes: 1.5 },
    { types: ['audio/*'] },
    { tags: [''] },
    { pinned: ['ab'] },
    { pinned: ['AB'.repeat(20)] },
  ])('%j is refused', (settings) => {
    expect(policySettings.safeParse(settings).success).toBe(false)
  })

  test('looks at what the manifest says', () => {
    const file = { path: 'a', size: 5, sha256: '', type: 'text/plain' }
    const manifest = { infoHash, size: 5, files: [file, file], tags: ['x'] } as unknown as Parameters<typeof offerOf>[0]
    expect(offerOf(manifest, [bob])).toEqual({
      infoHash,
      size: 5,
      publishers: [bob],
      types: ['text/plain'],
      tags: ['x'],
    })
  })
})
