import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import type { Condition } from '../../library/index.ts'
import { Policy, policySettings } from '../../policy/index.ts'
import type { Rank } from '../fetching/rank.ts'
import { Transfers } from '../fetching/transfers.ts'
import { Declined } from '../claims/declined.ts'
import { Admission } from './admission.ts'
import type { Publication } from './publications.ts'

const publisher = 'A'.repeat(43)
const hash = (n: number) => n.toString(16).padStart(40, '0')
const rank = (size: number): Rank => ({ lane: 'new', urgent: false, rarity: 0, since: 0, size })

function setUp(settings: Record<string, unknown>) {
  const policy = new Policy(policySettings.parse(settings))
  const told: string[] = []
  const said = { files: [] as { type: string }[], tags: [] as string[], state: 'live' }
  let time = 1_000_000
  const declined = new Declined({
    library: { refused: () => [], forgive: () => undefined, get: () => undefined, refuse: () => undefined },
    notice: {
      refuse: (infoHash) => void told.push(`refuse ${infoHash}`),
      drop: (infoHash) => void told.push(`drop ${infoHash}`),
    },
    forgiven: () => undefined,
    now: () => 0,
  })
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
          manifest: { infoHash, size: 100, ...said },
        } as unknown as Publication,
      ],
      stands: ({ state }) => state === 'live',
    },
    policy,
    serving: { offerInPart: async () => undefined },
    copied: () => transfers.bytes,
    declined,
    sizeOf: () => 100,
    clock: () => time,
    touch: (infoHash) => void touched.push(infoHash),
    log: pino({ level: 'silent' }),
  })
  const away = (state: { here?: boolean; paused?: boolean }) =>
    ({ here, paused } = { here: true, paused: false, ...state })
  const later = (ms: number) => (time += ms)
  return { admission, policy, declined, said, told, later, touched, states, transfers, open, away }
}

test('what is queued counts against the most bytes of copies, before any of it is here', async () => {
  const { admission, transfers, declined, open } = setUp({ maxBytes: 250 })
  const admitted = [1, 2, 3, 4].filter((n) => {
    const admits = admission.admits(hash(n))
    if (admits) transfers.add({ infoHash: hash(n), publisher }, false, rank(100))
    return admits
  })
  expect([admitted, [...declined.barred()]]).toEqual([
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

test('another policy has what the former one refused asked for again', () => {
  const { admission, policy, declined } = setUp({ refuse: [publisher] })
  expect([admission.admits(hash(1)), admission.admits(hash(2))]).toEqual([false, false])
  expect([...declined.barred()]).toEqual([hash(1), hash(2)])
  expect(policy.change(policySettings.parse({ refuse: [publisher], pinned: [hash(2)] }))).toBe(true)
  admission.reconsider()
  expect([...declined.barred()]).toEqual([])
  expect([admission.admits(hash(1)), admission.admits(hash(2))]).toEqual([false, true])
  expect([...declined.barred()]).toEqual([hash(1)])
})

test('what the policy refuses is remembered however much it is, and told once, until its manifest changes', () => {
  vi.useFakeTimers()
  try {
    const { admission, declined, said, told } = setUp({ tags: ['wanted'] })
    for (let n = 0; n < 15_000; n++) admission.admits(hash(n))
    vi.advanceTimersByTime(2 * 86_400_000)
    expect(told).toHaveLength(15_000)
    expect(declined.has(hash(0)) && declined.has(hash(14_999))).toBe(true)
    admission.review(hash(1))
    expect(declined.isBarred(hash(1))).toBe(true)
    said.tags.push('wanted')
    admission.review(hash(1))
    expect([declined.isBarred(hash(1)), told.at(-1)]).toEqual([false, `drop ${hash(1)}`])
    expect(admission.admits(hash(1))).toBe(true)
    // Nobody publishes it any more.
    said.state = 'retracted'
    admission.review(hash(2))
    expect([declined.isBarred(hash(2)), told.at(-1)]).toEqual([false, `drop ${hash(2)}`])
    declined.close()
  } finally {
    vi.useRealTimers()
  }
})

test('what had no room is asked for again when copies went, as much as there is room for', async () => {
  const { admission, transfers, declined, touched, later, open } = setUp({ maxBytes: 250 })
  for (const n of [1, 2]) transfers.add({ infoHash: hash(n), publisher }, false, rank(100))
  for (const n of [3, 4]) expect(admission.admits(hash(n))).toBe(false)
  admission.tick()
  expect(touched).toEqual([])
  open[0]!()
  await vi.waitFor(() => expect(transfers.bytes).toBe(100))
  admission.tick()
  later(300_000)
  admission.tick()
  expect(touched).toHaveLength(1)
  expect([...declined.barred()]).toHaveLength(1)
  expect(admission.admits(touched[0]!)).toBe(true)
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
