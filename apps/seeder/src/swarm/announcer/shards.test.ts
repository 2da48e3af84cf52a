import { shardOf } from '@eldernode/core'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { Egress } from '../../egress/index.ts'
import { announce, closeAll, onClose } from './testbed.ts'

afterEach(closeAll)

/** What was announced over each connection, by the path that was asked for. */
const tracker = async (): Promise<{ url: string; heard: { path: string; infoHashes: Set<string> }[] }> => {
  const heard: { path: string; infoHashes: Set<string> }[] = []
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  onClose(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  server.on('connection', (socket, { url = '' }) => {
    const connection = { path: url, infoHashes: new Set<string>() }
    heard.push(connection)
    socket.on('message', (data: Buffer) => {
      const { info_hash } = JSON.parse(data.toString()) as { info_hash: string }
      connection.infoHashes.add(Buffer.from(info_hash, 'latin1').toString('hex'))
      socket.send(JSON.stringify({ action: 'announce', info_hash, interval: 120, complete: 1, incomplete: 0 }))
    })
  })
  await once(server, 'listening')
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/announce/{3}`, heard }
}

const infoHashes = Array.from({ length: 30 }, (_, i) => createHash('sha1').update(`${i}`).digest('hex'))
const ofShard = (shard: number): string[] => infoHashes.filter((infoHash) => shardOf(infoHash, 3) === shard).toSorted()

test('each item is announced to its shard, over one socket for each shard', async () => {
  const { url, heard } = await tracker()
  const { announcer } = announce([url])
  announcer.restore(infoHashes.slice(0, 15), 15)
  for (const infoHash of infoHashes.slice(15)) announcer.add(infoHash)
  for (const infoHash of infoHashes) announcer.signal(infoHash)
  const shown = () => {
    const byPath = heard.toSorted((a, b) => (a.path < b.path ? -1 : 1))
    return byPath.map(({ path, infoHashes: all }) => [path, [...all].toSorted()])
  }
  await vi.waitFor(
    () => expect(shown()).toEqual([0, 1, 2].map((shard) => [`/announce/${shard}`, ofShard(shard)])),
    20_000,
  )
})

test('what a stranger names is no template', async () => {
  const { url, heard } = await tracker()
  const egress = new Egress({ allowPrivate: true, allowedOrigins: [] })
  onClose(async () => await egress.close())
  const { announcer } = announce([url], { egress })
  for (const infoHash of infoHashes) announcer.add(infoHash)
  await vi.waitFor(
    () => expect(heard.map(({ path, infoHashes: all }) => [path, all.size])).toEqual([['/announce/%7B3%7D', 30]]),
    20_000,
  )
})
