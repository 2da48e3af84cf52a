import { rename, rm, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import {
  forgotten,
  given,
  graphOf,
  hash,
  hold,
  inPart,
  library,
  manifest,
  offered,
  other,
  reconciler,
  self,
  started,
  suspended,
} from '../testing/reconciling.ts'

/** An item that is published and held here. */
async function published(n: number): Promise<string> {
  const item = await hold(hash(n), other.id)
  await graphOf(other).publish('m', hash(n), manifest(hash(n)))
  return library.blobPath(item.sha256)
}

async function decide(n: number): Promise<void> {
  reconciler.touch(other.id, hash(n))
  await reconciler.idle()
}

test('an item that waits for a hash is neither offered nor fetched again', async () => {
  await utimes(await published(1), 1, 1)
  expect(await library.check(hash(1))).toBe(false)
  await decide(1)
  expect([offered, forgotten, started]).toEqual([[], [hash(1)], []])
})

test('an item that lost its bytes is no longer offered, and is fetched again', async () => {
  await rm(await published(1))
  expect(await library.check(hash(1))).toBe(false)
  await decide(1)
  expect([offered, forgotten, started]).toEqual([[], [hash(1)], [hash(1)]])
})

test('an item with a bad piece serves the others, does not count as held, and is not fetched anew', async () => {
  await published(1)
  library.quarantinePiece(hash(1), 0)
  await decide(1)
  expect([offered, inPart, started]).toEqual([[], [hash(1)], []])
})

test('an item whose bytes are not whole is retracted as well, so that it is not served once they are', async () => {
  await published(1)
  library.quarantinePiece(hash(1), 0)
  await graphOf(other).publish('m', hash(1), manifest(hash(1), { state: 'retracted' }))
  await decide(1)
  expect(forgotten).toEqual([hash(1)])
  expect(library.head(hash(1))?.state).toBe('retracted')
})

test('while the disk is away nothing is offered or fetched, what was said stands for a while, and all is offered when it is back', async () => {
  const blobs = dirname(dirname(await published(1)))
  await graphOf(other).publish('m', hash(2), manifest(hash(2)))
  await hold(hash(3), self.id)
  await rename(blobs, join(dirname(blobs), 'away'))
  await library.look()
  for (const n of [1, 2]) await decide(n)
  reconciler.touch(self.id, hash(3))
  await reconciler.idle()
  expect([offered, started]).toEqual([[], []])
  expect([forgotten.includes(hash(1)), suspended.includes(hash(1))]).toEqual([false, true])
  given.isAwayLong = true
  await decide(1)
  expect(forgotten).toContain(hash(1))
  await rename(join(dirname(blobs), 'away'), blobs)
  await library.look()
  await decide(1)
  expect(offered).toEqual([hash(1)])
})
