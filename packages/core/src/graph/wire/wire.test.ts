import { expect, onTestFinished, test } from 'vitest'
import { putOf } from './message.ts'
import { Wire } from './wire.ts'

function open() {
  const wire = new Wire(
    () => undefined,
    () => true,
  )
  onTestFinished(() => wire.close())
  const said: string[] = []
  const peer = { id: 'peer', wire: {}, say: (raw: string) => void said.push(raw), bye: () => undefined }
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
