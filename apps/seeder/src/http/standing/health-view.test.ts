import { expect, test } from 'vitest'
import type { Health } from '../../replication/index.ts'
import { healthSchema, healthView, itemHealthSchema, itemHealthView, publicHealthView } from './health-view.ts'

const [holder, other] = ['A'.repeat(43), `${'B'.repeat(42)}A`] as [string, string]
const health: Health = {
  demand: {
    infoHash: 'ab'.repeat(20),
    size: 5,
    publishers: [holder],
    min: 2,
    target: 3,
    since: 1,
    reached: false,
  },
  assessment: {
    wanted: [holder, other],
    copies: [{ id: holder, state: 'held', proof: 'proven', live: true, suspected: false, draining: false }],
    proven: 1,
    missing: 2,
    level: 'below-min',
    survives: 0,
  },
  duty: { do: 'fetch', urgent: true, repair: false, rarity: 1 },
  why: [
    { code: 'copy_pending', detail: `${other} is to make a copy` },
    { code: 'copy_failing', detail: 'fetch_failed: connect ECONNREFUSED 10.0.0.5:80' },
  ],
  job: {
    lane: 'new',
    running: false,
    attempts: 2,
    notBefore: 7,
    reason: { code: 'fetch_failed', detail: 'connect ECONNREFUSED 10.0.0.5:80' },
  },
}

test('shows all that is known to who may change the item, and no addresses to others', () => {
  expect(healthSchema.parse(healthView(health))).toMatchObject({
    level: 'below-min',
    min: 2,
    target: 3,
    missing: 2,
    why: [{ code: 'copy_pending' }, { code: 'copy_failing' }],
    job: { lane: 'new', attempts: 2, reason: { code: 'fetch_failed' } },
  })
  const shown = healthSchema.parse(publicHealthView(health))
  expect(shown).toMatchObject({
    level: 'below-min',
    proven: 1,
    wanted: [holder, other],
    why: [{ code: 'copy_pending' }],
  })
  expect(shown.job).toBeUndefined()
  expect(JSON.stringify(publicHealthView(health))).not.toContain('10.0.0.5')
  expect(itemHealthSchema.parse(itemHealthView(health))).toMatchObject({
    id: 'ab'.repeat(20),
    size: 5,
    publishers: [holder],
    since: 1,
    level: 'below-min',
  })
})
