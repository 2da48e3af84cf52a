import type { Preview } from '@eldernode/core'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Orphans } from './orphans.ts'
import { fakeTime, hold, library } from './testing/keeping.ts'

const hour = 3_600_000

let orphans: Orphans
let collected: string[]
beforeEach(() => {
  collected = []
  orphans = new Orphans({
    library,
    previews: async ({ about }) => about.previews,
    collect: async (infoHash) => void collected.push(infoHash),
    now: () => Date.now(),
    log: pino({ level: 'silent' }),
  })
})
afterEach(() => orphans.close())

async function holdPreview(name: string, previewOf: string): Promise<Preview> {
  const { infoHash, sha256, size } = await hold(name)
  library.about.set(infoHash, { previewOf })
  return { kind: 'thumbnail', infoHash, sha256, size, type: 'image/webp' }
}

test('previews that no live item names are collected, the others stay', async () => {
  const [parent, retracted] = [await hold('parent'), await hold('retracted')]
  const named = await holdPreview('named', parent.infoHash)
  const unnamed = await holdPreview('unnamed', parent.infoHash)
  const parentless = await holdPreview('parentless', 'f'.repeat(40))
  const ofRetracted = await holdPreview('of retracted', retracted.infoHash)
  library.about.set(parent.infoHash, { previews: [named] })
  library.about.set(retracted.infoHash, { previews: [ofRetracted] })
  library.retract(retracted.infoHash, Date.now() + hour)
  fakeTime()
  orphans.start()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(new Set(collected)).toEqual(new Set([unnamed, parentless, ofRetracted].map(({ infoHash }) => infoHash)))
})

test('what is being described has time to name its previews', async () => {
  const { infoHash } = await hold('parent')
  const preview = await holdPreview('preview', infoHash)
  vi.spyOn(library.descriptions, 'has').mockImplementation((id) => id === infoHash)
  fakeTime()
  orphans.start()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(collected).toEqual([])
  vi.restoreAllMocks()
  await vi.advanceTimersByTimeAsync(hour)
  expect(collected).toEqual([preview.infoHash])
})
