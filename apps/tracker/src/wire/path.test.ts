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
