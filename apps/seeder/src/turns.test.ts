import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

const gate = () => {
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

test('changes of one item come one after the other, in the order they were asked for', async () => {
  const turns = new Turns()
  const { opened, open } = gate()
  const order: string[] = []
  const first = turns.take('a', async () => {
    await opened
    order.push('first')
    return 1
  })
  const second = turns.take('a', async () => order.push('second'))
  const third = turns.take('a', async () => order.push('third'))
  await turns.take('b', async () => order.push('other'))
  expect(order).toEqual(['other'])
  open()
  expect(await first).toBe(1)
  await Promise.all([second, third])
  expect(order).toEqual(['other', 'first', 'second', 'third'])
})

test('one that fails says so to who asked for it, and keeps nobody', async () => {
  const turns = new Turns()
  const failing = turns.take('a', () => Promise.reject(new Error('no')))
  const next = turns.take('a', () => Promise.resolve('yes'))
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
})
