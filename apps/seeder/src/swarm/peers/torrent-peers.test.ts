import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { Torrent } from 'webtorrent'
import type { TorrentPeersOptions } from './torrent-peers.ts'
import { tendPeers } from './torrent-peers.ts'

test('channels that open all at once are let in as long as the torrent admits one more', () => {
  const joined: unknown[] = []
  const added = Object.assign(new EventEmitter(), {
    destroyed: false,
    _peers: new Map(),
    _addPeer: (peer: unknown) => joined.push(peer),
    _addIncomingPeer: () => {},
    _onWire: () => {},
    _updateWire: () => {},
    _request: () => {},
    _hotswap: () => {},
  })
  const torrent = added as unknown as Torrent
  tendPeers(torrent, { peerId: 'aa', admits: () => joined.length < 2 } as TorrentPeersOptions)
  const refused: number[] = []
  for (let channel = 0; channel < 50; channel++) {
    torrent._addPeer({ destroy: () => refused.push(channel) } as unknown as string, 'webrtc', '')
  }
  expect(joined).toHaveLength(2)
  expect(refused).toHaveLength(48)
})
