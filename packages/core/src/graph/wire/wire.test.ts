import { expect, onTestFinished, test, vi } from 'vitest'
import { putOf } from './message.ts'
import { Wire } from './wire.ts'

function peerOf(id: string) {
  const said: string[] = []
  return { said, peer: { id, wire: {}, say: (raw: string) => void said.push(raw), bye: () => undefined } }
}

function open() {
  const wire = new Wire(
    () => undefined,
    () => true,
  )
  onTestFinished(() => wire.close())
  const { said, peer } = peerOf('peer')
  wire.join(peer)
  said.length = 0
  return { wire, peer, said }
}

// What waits inside GUN is in no socket's count, so that a reader that asks fast enough would fill the memory.
test('a reply is at its socket at once, however large it is', () => {
  const { wire, peer, said } = open()
  const values = [{ soul: 'previews/1', key: 'audioData', state: 5, value: 'x'.repeat(1_400_000) }]
  for (let n = 0; n < 20; n++) wire.tell(peer, { to: `get${n}`, put: putOf(values) })
  expect(said).toHaveLength(20)
  expect(JSON.parse(said[7] ?? '')).toEqual({
    '#': expect.stringMatching(/^[\w-]{12}$/) as string,
    '@': 'get7',
    put: { 'previews/1': { _: { '#': 'previews/1', '>': { audioData: 5 } }, audioData: values[0]?.value } },
  })
})

test('"not here" and "taken" are said in GUN\'s words', () => {
  const { wire, peer, said } = open()
  wire.tell(peer, { to: 'get' })
  wire.tell(peer, { to: 'put', ok: 1 })
  const id = expect.stringMatching(/^[\w-]{12}$/) as string
  expect(said.map((text) => JSON.parse(text) as object)).toEqual([
    { '#': id, '@': 'get' },
    { '#': id, '@': 'put', ok: 1 },
  ])
})

test('a value whose time lies ahead of the machine is not held back by a timer: the guard knows which clock counts', async () => {
  const { wire, peer } = open()
  const other = peerOf('other')
  wire.join(other.peer)
  const timers = vi.spyOn(globalThis, 'setTimeout')
  onTestFinished(() => timers.mockRestore())
  const values = [{ soul: 'soul', key: 'key', state: Date.now() + 86_400_000, value: 'x' }]
  wire.hear({ '#': 'id', put: putOf(values) }, peer)
  await vi.waitFor(() => expect(other.said.join()).toContain('"key":"x"'), { timeout: 5000, interval: 5 })
  expect(timers.mock.calls.filter(([, ms = 0]) => ms > 60_000)).toEqual([])
})
