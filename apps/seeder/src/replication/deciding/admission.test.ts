import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import type { Condition } from '../../library/index.ts'
import { Policy, policySettings } from '../../policy/index.ts'
import type { Rank } from '../fetching/rank.ts'
import { Transfers } from '../fetching/transfers.ts'
import { Admission } from './admission.ts'
import type { Publication } from './publications.ts'

const publisher = 'A'.repeat(43)
const hash = (n: number) => n.toString(16).padStart(40, '0')
const rank = (size: number): Rank => ({ lane: 'new', urgent: false, rarity: 0, since: 0, size })

function setUp(settings: Record<string, unknown>) {
  const policy = new Policy(policySettings.parse(settings))
  const refused: string[] = []
  const touched: string[] = []
  const states = new Map<string, Condition>()
  const open: (() => void)[] = []
  let [here, paused] = [true, false]
  const transfers = new Transfers({
    run: () => new Promise<void>((resolve) => open.push(resolve)),
    failed: () => undefined,
    settled: () => undefined,
    drained: () => undefined,
    concurrency: 1,
    maxQueued: 100,
    now: () => 0,
    random: () => 1,
  })
  const admission = new Admission({
    library: {
      condition: (infoHash) => states.get(infoHash),
      isPaused: () => paused,
      storage: () => ({ folder: '', state: here ? 'here' : 'missing' }),
    },
    publications: {
      of: (infoHash) => [
        {
          publisher,
          signer: publisher,
          ts: 1,
          manifest: { infoHash, size: 100, files: [], tags: [], state: 'live' },
        } as unknown as Publication,
      ],
      stands: ({ state }) => state === 'live',
    },
    policy,
    serving: { offerInPart: async () => undefined },
    copied: () => transfers.bytes,
    refuse: (infoHash) => void refused.push(infoHash),
    touch: (infoHash) => void touched.push(infoHash),
    log: pino({ level: 'silent' }),
  })
  const away = (state: { here?: boolean; paused?: boolean }) =>
    ({ here, paused } = { here: true, paused: false, ...state })
  return { admission, policy, refused, touched, states, transfers, open, away }
}

test('what is queued counts against the most bytes of copies, before any of it is here', async () => {
  const { admission, transfers, refused, open } = setUp({ maxBytes: 250 })
  const admitted = [1, 2, 3, 4].filter((n) => {
    const admits = admission.admits(hash(n))
    if (admits) transfers.add({ infoHash: hash(n), publisher }, false, rank(100))
    return admits
  })
  expect([admitted, refused]).toEqual([
    [1, 2],
    [hash(3), hash(4)],
  ])
  expect(transfers.bytes).toBe(200)
  transfers.rank(hash(2), rank(150))
  expect(transfers.bytes).toBe(250)
  open[0]?.()
  await vi.waitFor(() => expect(transfers.bytes).toBe(150))
  const cancelled = transfers.cancel(hash(2), 'a test')
  open[1]?.()
  await cancelled
  expect(transfers.bytes).toBe(0)
})

test('another policy has what the former one refused looked at again, once', () => {
  const { admission, policy, refused } = setUp({ refuse: [publisher] })
  expect([admission.admits(hash(1)), admission.admits(hash(2))]).toEqual([false, false])
  expect(refused).toEqual([hash(1), hash(2)])
  expect(policy.change(policySettings.parse({ refuse: [publisher], pinned: [hash(2)] }))).toBe(true)
  expect([...admission.reconsider()]).toEqual([hash(1), hash(2)])
  expect([...admission.reconsider()]).toEqual([])
  expect([admission.admits(hash(1)), admission.admits(hash(2))]).toEqual([false, true])
  expect([...admission.reconsider()]).toEqual([hash(1)])
})

test.each<[Condition | undefined, boolean, boolean]>([
  [undefined, true, false],
  ['damaged', true, false],
  ['suspect', false, false],
  ['patchy', false, false],
  ['held', false, true],
])('an item that is %s here: fetched %s, brought in line %s', (condition, fetched, broughtInLine) => {
  const { admission, states, touched, away } = setUp({})
  if (condition !== undefined) states.set(hash(1), condition)
  expect(admission.admits(hash(1))).toBe(fetched)
  expect(touched).toEqual(broughtInLine ? [hash(1)] : [])
  away({ here: false })
  expect(admission.admits(hash(1))).toBe(false)
  away({ paused: true })
  expect(admission.admits(hash(1))).toBe(false)
})
