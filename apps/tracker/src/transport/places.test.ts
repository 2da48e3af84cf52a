import { expect, it } from 'vitest'
import { parseAddress } from './address.ts'
import { ofProxies, placeOf, Places } from './places.ts'

const of = (text: string): string => {
  const words = new Int32Array(4)
  const kind = parseAddress(text, words)
  if (kind === undefined) throw new Error(text)
  return placeOf(kind, words[0] ?? 0, words[1] ?? 0)
}

it('counts connections of an address, and of a /64, and takes another limit on', () => {
  const limits = { sockets: 100, socketsPerAddress: 2 }
  const places = new Places(limits)
  const enter = (text: string): boolean => places.enter(of(text))
  expect(['9.9.9.9', '9.9.9.9', '9.9.9.9', '9.9.9.8'].map(enter)).toEqual([true, true, false, true])
  expect(['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::'].map(enter)).toEqual([true, true, false, true])
  limits.socketsPerAddress = 3
  expect(['9.9.9.9', '9.9.9.9'].map(enter)).toEqual([true, false])
  places.leave(of('9.9.9.9'))
  expect(enter('9.9.9.9')).toBe(true)
})

it('knows when there are as many as may be, and when there are more', () => {
  const limits = { sockets: 3, socketsPerAddress: 1 }
  const places = new Places(limits)
  for (let i = 0; i < 3; i++) expect(places.enter(ofProxies)).toBe(true)
  expect([places.isFull, places.isCrowded]).toEqual([true, false])
  expect(places.enter(of('9.9.9.9'))).toBe(true)
  expect([places.isFull, places.isCrowded]).toEqual([true, true])
  places.leave(ofProxies)
  places.leave(ofProxies)
  expect([places.isFull, places.isCrowded]).toEqual([false, false])
})
