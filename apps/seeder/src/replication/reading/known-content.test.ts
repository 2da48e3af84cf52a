import { createHash } from 'node:crypto'
import { contentSha256, type Manifest } from '@eldernode/core'
import { expect, test } from 'vitest'
import { ContentTable } from './content-table.ts'
import { KnownContent } from './known-content.ts'

const hash = (kind: 'sha1' | 'sha256', text: string) => createHash(kind).update(text).digest('hex')

test('each content is found among many, and no other; what is said twice is kept once', () => {
  const table = new ContentTable()
  for (let round = 0; round < 2; round++)
    for (let n = 0; n < 5000; n++) table.add(hash('sha256', `${n}`), hash('sha1', `${n}`))
  expect(table.size).toBe(5000)
  for (let n = 0; n < 5000; n++) expect(table.find(hash('sha256', `${n}`))).toEqual([hash('sha1', `${n}`)])
  expect(table.find(hash('sha256', 'none'))).toEqual([])
  table.add(hash('sha256', '7'), hash('sha1', 'other'))
  expect(table.find(hash('sha256', '7')).toSorted()).toEqual([hash('sha1', '7'), hash('sha1', 'other')].toSorted())
})

test.each(['0', 'f'])('a hash of nothing but %s is one like others', (digit) => {
  const table = new ContentTable()
  expect(table.find(digit.repeat(64))).toEqual([])
  table.add(digit.repeat(64), digit.repeat(40))
  table.add(digit.repeat(64), '1'.repeat(40))
  expect(table.find(digit.repeat(64))).toEqual([digit.repeat(40), '1'.repeat(40)])
})

test('reads the graph at the first question, and hears of what comes later', async () => {
  const manifest = (name: string, more: Partial<Manifest> = {}) => ({
    body: {
      infoHash: hash('sha1', name),
      state: 'live',
      access: 'public',
      files: [{ path: name, size: 1, sha256: hash('sha256', name), type: 'text/plain' }],
      ...more,
    } as Manifest,
  })
  let [reads, tell] = [0, (_value: { body: Manifest }) => {}]
  const known = new KnownContent({
    graph: {
      entries: () => {
        reads++
        return [
          manifest('a'),
          manifest('gone', { state: 'retracted' }),
          manifest('own', { access: 'private' }),
        ] as never
      },
      watch: (_kind: string, listener: never) => {
        tell = listener
        return () => (tell = () => expect.fail('it was closed'))
      },
    },
    contentDigest: contentSha256,
  })
  expect(reads).toBe(0)
  expect(await known.find(hash('sha256', 'a'))).toEqual([hash('sha1', 'a')])
  for (const name of ['gone', 'own', 'later']) expect(await known.find(hash('sha256', name))).toEqual([])
  tell(manifest('later'))
  expect(await known.find(hash('sha256', 'later'))).toEqual([hash('sha1', 'later')])
  expect(reads).toBe(1)
  known.close()
})

test('a graph that cannot be read now is read at the next question', async () => {
  let isOpen = false
  const known = new KnownContent({
    graph: {
      entries: () => {
        if (!isOpen) throw new Error('closed')
        return []
      },
      watch: () => () => undefined,
    },
    contentDigest: contentSha256,
  })
  await expect(known.find(hash('sha256', 'a'))).rejects.toThrow('closed')
  isOpen = true
  expect(await known.find(hash('sha256', 'a'))).toEqual([])
})
