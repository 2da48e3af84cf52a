import { pino } from 'pino'
import { expect, it } from 'vitest'
import { kinds } from '../swarm/index.ts'
import { BanLog } from './ban-log.ts'
import { Manners } from './manners.ts'

it('tells who is banned and why, once, and of a crowd the first and how many more', () => {
  let now = 0
  const lines: Record<string, unknown>[] = []
  const log = new BanLog(
    pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }),
    () => now,
  )
  const manners = new Manners({
    limits: { requestsPerAddress: 5, banSeconds: 600 },
    isMember: () => false,
    onBan: (network, seconds, reason) => log.note(network, seconds, reason),
    now: () => now,
    clock: () => now,
    random: () => 0.3,
  })
  const provoke = (host: number): void => {
    for (let n = 0; n < 200; n++) manners.refused(kinds.ipv4, Int32Array.of(host, 0, 0, 0), 'port is missing')
  }
  provoke(0x09090909)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ level: 40, network: '9.9.9.9', seconds: 600, reason: 'port is missing' })
  for (let host = 1; host <= 50; host++) provoke(host)
  expect(lines).toHaveLength(20)
  now = 60_000
  provoke(100)
  expect(lines).toHaveLength(21)
  expect(lines[20]).toMatchObject({ network: '0.0.0.100', othersBefore: 31 })
})
