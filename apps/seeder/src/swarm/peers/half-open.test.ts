import { expect, test } from 'vitest'
import { HalfOpen } from './half-open.ts'

function setUp(most: number, mostOfOrigin: number) {
  const gone: string[] = []
  const halfOpen = new HalfOpen<{ name: string; destroy(): void }>(most, mostOfOrigin)
  const come = (name: string, origin: string) => {
    const stranger = { name, destroy: () => void gone.push(name) }
    halfOpen.add(stranger, origin)
    return stranger
  }
  return { halfOpen, gone, come }
}

test('the oldest stranger goes for a new one', () => {
  const { halfOpen, gone, come } = setUp(3, 3)
  for (const name of ['a', 'b', 'c', 'd']) come(name, name)
  expect(gone).toEqual(['a'])
  expect(halfOpen.size).toBe(3)
  expect(halfOpen.dropped).toBe(1)
})

test('who opens thousands pushes himself out, and nobody else', () => {
  const { halfOpen, gone, come } = setUp(256, 128)
  const honest = come('honest', '192.0.2.1')
  for (let index = 0; index < 5_000; index++) come('attacker', '192.0.2.2')
  expect(gone).toHaveLength(5_000 - 128)
  expect(gone).not.toContain('honest')
  halfOpen.delete(honest)
  expect(halfOpen.size).toBe(128)
})

test('those that went are forgotten, once', () => {
  const { halfOpen, gone, come } = setUp(2, 2)
  const [a, b] = [come('a', 'x'), come('b', 'x')]
  halfOpen.delete(a)
  halfOpen.delete(a)
  come('c', 'x')
  expect(gone).toEqual([])
  halfOpen.delete(b)
  halfOpen.clear()
  expect(gone).toEqual(['c'])
  expect(halfOpen.size).toBe(0)
})
