import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ItemFile, Manifest } from '@eldernode/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Egress } from '../../egress/index.ts'
import { checkFiles, fullFileList } from './file-list.ts'
import { HolderClient } from './holder-client.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const files: ItemFile[] = ['a', 'b/c'].map((path) => ({ path, sha256: sha256(path), size: 5, type: 'text/plain' }))
const manifest: Manifest = {
  infoHash: '0'.repeat(40),
  name: 'item',
  size: 10,
  pieceLength: 16_384,
  files: files.slice(0, 1),
  filesDigest: sha256(JSON.stringify(files)),
  trackers: [],
  replicas: { min: 1, target: 3 },
  access: 'public',
  createdAt: 1,
  state: 'live',
}

describe('the full list', () => {
  let server: Server
  let base: string
  let answers: Record<string, string>
  let egress: Egress
  let client: HolderClient
  const signal = new AbortController().signal

  beforeEach(async () => {
    answers = {}
    server = createServer((request, response) => {
      const answer = answers[(request.url ?? '').split('/')[1] ?? '']
      response.writeHead(answer === undefined ? 404 : 200).end(answer)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
    client = new HolderClient({ egress, authorize: () => Promise.resolve({}) })
  })

  afterEach(async () => {
    await egress.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  test('comes from the first holder whose text has the signed digest', async () => {
    answers = { lies: JSON.stringify(files.toReversed()), honest: JSON.stringify(files) }
    const holders = [`${base}/missing`, `${base}/lies`, `${base}/honest`]
    expect(await fullFileList(manifest, holders, client, signal)).toEqual(files)
  })

  test('is not asked for when the manifest has it all', async () => {
    const { filesDigest: _, ...whole } = { ...manifest, files }
    expect(await fullFileList(whole, [], client, signal)).toEqual(files)
  })

  test.each([
    ['gone', undefined],
    ['another list', JSON.stringify(files.slice(1))],
    ['no JSON', '{'],
    ['endless', 'x'.repeat(17 * 2 ** 20)],
  ])('that is %s leaves the item unfetched', async (_, answer) => {
    if (answer !== undefined) answers['holder'] = answer
    await expect(fullFileList(manifest, [`${base}/holder`], client, signal)).rejects.toMatchObject({
      code: 'no_file_list',
    })
  })

  test('that has the signed digest and is malformed is refused', async () => {
    const malformed = JSON.stringify([{ path: '../up', size: 1, sha256: sha256('x'), type: 'x' }])
    answers['holder'] = malformed
    const lying = { ...manifest, filesDigest: sha256(malformed) }
    await expect(fullFileList(lying, [`${base}/holder`], client, signal)).rejects.toMatchObject({
      code: 'no_file_list',
    })
  })
})

describe('the torrent', () => {
  const torrent = { name: 'item', files: files.map(({ path, size }) => ({ path, size })) }

  test('with the signed names and sizes passes', () => {
    expect(() => checkFiles(manifest, files, torrent)).not.toThrow()
  })

  test.each([
    ['another name', { ...torrent, name: 'other' }],
    ['a file less', { ...torrent, files: torrent.files.slice(1) }],
    ['another order', { ...torrent, files: torrent.files.toReversed() }],
    ['another size', { ...torrent, files: torrent.files.map((file) => ({ ...file, size: 6 })) }],
  ])('with %s does not', (_, other) => {
    expect(() => checkFiles(manifest, files, other)).toThrow('has not the files that its manifest signs')
  })
})
