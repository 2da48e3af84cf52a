import { expect, test } from 'vitest'
import { demands, duties, item, others, publish, publisher, queued, says } from '../testing/duty-case.ts'

test('who claims and has nothing does not make first copies wait as repairs do', () => {
  const infoHash = item(true)
  publish(infoHash)
  for (const node of others) says(node, infoHash, 'held', node === publisher ? 'proven' : 'failed')
  duties.look(infoHash)
  expect(queued.get(infoHash)).toMatchObject({ lane: 'new', urgent: true, rarity: 1, delayMs: 0 })
  expect(demands.get(infoHash)?.reached).toBe(false)
})
