import { strict as assert } from 'node:assert'
import { expect, it } from 'vitest'
import { readPath, TrackerPath } from './path.ts'

const key = 'AZaz09_-'.repeat(4)

const read = (text: string) => {
  const path = new TrackerPath()
  // What an earlier path held must not shine through.
  path.passkey = 'old'
  path.shard = 7
  const isPath = readPath(text, path)
  const { action, passkey, shard } = path
  return isPath ? { action, passkey, shard } : undefined
}

it.each([
  ['', 'announce', '', -1],
  ['/', 'announce', '', -1],
  ['/?x=/announce', 'announce', '', -1],
  ['/announce', 'announce', '', -1],
  ['/announce?info_hash=/scrape', 'announce', '', -1],
  ['/scrape', 'scrape', '', -1],
  ['/announce/0', 'announce', '', 0],
  ['/announce/1023?a', 'announce', '', 1023],
  [`/${key}/announce`, 'announce', key, -1],
  [`/${key}/announce/3?a=b`, 'announce', key, 3],
  [`/${key}/scrape?a=b`, 'scrape', key, -1],
  ['/short/announce', 'announce', 'short', -1],
  ['/announce/announce', undefined],
  ['/scrape/announce', undefined],
  ['/scrape/1', undefined],
  ['/announce/', undefined],
  ['/announce/x', undefined],
  ['/announce/-1', undefined],
  ['/announce/12345', undefined],
  ['/announce/1/2', undefined],
  ['/announcer', undefined],
  ['/announc', undefined],
  ['/announc?e', undefined],
  ['announce', undefined],
  ['//announce', undefined],
  [`/${key}`, undefined],
  [`/${key}/`, undefined],
  [`/${key}/health`, undefined],
  [`/${key}/${key}/announce`, undefined],
  [`/${'a'.repeat(65)}/announce`, undefined],
  ['/a%2fb/announce', undefined],
  ['/ä/announce', undefined],
  ['/k?/announce', undefined],
])('%s', (text, action, passkey?, shard?) => {
  expect(read(text)).toEqual(action === undefined ? undefined : { action, passkey, shard })
})

it('agrees with a pattern on any mixture of what paths are made of', () => {
  const pattern = /^(?:|\/|(?:\/(?!(?:announce|scrape)\/)([\w-]{1,64}))?\/(?:(announce)(?:\/(\d{1,4}))?|(scrape)))$/
  const parts = [
    '/',
    '/',
    'announce',
    'scrape',
    'announc',
    key,
    '7',
    '0042',
    '-',
    '_',
    '%2f',
    '?',
    'é',
    '\u{0}',
    '.',
    ':',
  ]
  let paths = 0
  for (let i = 0; i < 50_000; i++) {
    const count = Math.floor(Math.random() * 7)
    const text = Array.from({ length: count }, () => parts[Math.floor(Math.random() * parts.length)]).join('')
    const found = pattern.exec(text.split('?', 1)[0] ?? '')
    const [, passkey = '', , shard = '-1', scrape] = found ?? []
    const wanted = found && { action: scrape ?? 'announce', passkey, shard: Number(shard) }
    if (found) paths++
    assert.deepEqual(read(text), wanted ?? undefined, text)
  }
  expect(paths).toBeGreaterThan(1000)
})
