import { expect, test } from 'vitest'
import { kinds } from '../swarm/index.ts'
import { parseAddress } from './address.ts'
import { Members } from './members.ts'

const warnings: unknown[] = []
const members = (ranges: string[]) => {
  warnings.length = 0
  const all = new Members(ranges, { warn: (about: unknown) => void warnings.push(about) })
  const ask = (text: string) => {
    const address = new Int32Array(4)
    return [parseAddress(text, address) ?? kinds.ipv4, address] as const
  }
  return {
    all,
    has: (text: string) => all.has(...ask(text)),
    speaksForOthers: (text: string) => all.speaksForOthers(...ask(text)),
  }
}

test('a proxy that is not trusted is no member, and is warned of once', () => {
  const { all, has, speaksForOthers } = members(['127.0.0.0/8', 'fd00::/8', '9.9.9.9'])
  expect(['127.0.0.1', '127.0.0.2', 'fd00::1', '9.9.9.9', '9.9.9.8'].map(has)).toEqual([true, true, true, true, false])
  for (const text of ['127.0.0.1', '127.0.0.1', 'fd00::1', '9.9.9.9']) speaksForOthers(text)
  expect(['127.0.0.1', '127.0.0.2', '9.9.9.9'].map(has)).toEqual([false, true, false])
  // A /64 is one address.
  expect(['fd00::1', 'fd00::2', 'fd00:0:0:1::1'].map(has)).toEqual([false, false, true])
  expect(warnings).toEqual([{ address: '127.0.0.1' }])
  all.ranges = ['127.0.0.0/8']
  expect([has('127.0.0.1'), has('127.0.0.2'), has('9.9.9.9')]).toEqual([false, true, false])
})

test("Docker's proxy is warned of though it is no member; strangers may say what they like", () => {
  const { speaksForOthers } = members(['127.0.0.1'])
  speaksForOthers('8.8.8.8')
  expect(warnings).toEqual([])
  speaksForOthers('172.17.0.1')
  expect(warnings).toEqual([{ address: '172.17.0.1' }])
})

test('the number of proxies that are remembered is bounded, the latest are', () => {
  const { has, speaksForOthers } = members(['10.0.0.0/8'])
  for (let n = 0; n <= 1000; n++) speaksForOthers(`10.0.${n >> 8}.${n & 255}`)
  expect([has('10.0.0.0'), has('10.0.0.1'), has('10.0.3.232')]).toEqual([true, false, false])
})
