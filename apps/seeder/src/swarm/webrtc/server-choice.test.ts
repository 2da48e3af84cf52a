import { InvalidInputError } from '@eldernode/core'
import { expect, test } from 'vitest'
import { ServerChoice } from './server-choice.ts'

const [host, reflexive, relayed] = ['a=candidate:1 typ host', ' typ srflx raddr', ' typ relay raddr'].map(
  (_, index, lines) => lines.slice(0, index + 1).join('\r\n'),
)
const stun = ['stun:one.example', 'stun:two.example']
const turn = 'turn:user:secret@three.example'

function setUp(...urls: string[]) {
  const clock = { time: 0 }
  const choice = new ServerChoice(urls, () => clock.time)
  const names = (): string[] => choice.choose().servers.map(({ hostname }) => hostname.replace('.example', ''))
  return { clock, choice, names }
}

test('without servers nothing is waited for but addresses of this machine', () => {
  expect(setUp().choice.choose()).toMatchObject({ servers: [], patience: 150 })
})

test('each connection asks one server of each kind, and the next one another', () => {
  const { names, choice } = setUp(...stun, turn)
  expect([names(), names(), names()]).toEqual([
    ['one', 'three'],
    ['two', 'three'],
    ['one', 'three'],
  ])
  expect(choice.choose().patience).toBe(2_000)
  expect(setUp(...stun).choice.choose().patience).toBe(1_000)
})

test('a server that was silent is left out for a minute, and then asked by one connection first', () => {
  const { clock, choice, names } = setUp(...stun.slice(0, 1))
  choice.choose().told(host ?? '', false)
  expect(choice.choose()).toMatchObject({ servers: [], patience: 150 })
  clock.time = 59_999
  expect(names()).toEqual([])
  clock.time = 60_000
  const again = choice.choose()
  expect(again.servers).toHaveLength(1)
  expect(names()).toEqual([])
  again.told(host ?? '', true)
  expect([names(), names()]).toEqual([['one'], ['one']])
})

test.each([
  ['all silent', host, false, []],
  ['TURN heard, not STUN', relayed, false, ['three']],
  ['STUN heard, not TURN', reflexive, false, ['one']],
  ['both heard', relayed, true, ['one', 'three']],
  ['both heard, though neither had an address to tell', host, true, ['one', 'three']],
])('of a STUN and a TURN server it is known which was silent: %s', (_what, sdp, complete, heard) => {
  const { choice, names } = setUp('stun:one.example', turn)
  choice.choose().told(sdp ?? '', complete)
  expect(names()).toEqual(heard)
})

test('what is no server is refused', () => {
  expect(() => setUp('turns:user:secret@host')).toThrow(InvalidInputError)
})
