import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * Stock WebTorrent seeds one file to browsers: webrtc.ts runs it as a process of its own. `--folder` is where the file
 * lies, `--torrent` its .torrent file, or `--file` its name, and WebTorrent makes the torrent. It prints
 * {"announced":"<infohash>"} and goes on until it is killed. With `--fixed` it can be reached: it says when its candidates
 * are complete, which its WebRTC library never does, and makes no offers of its own, which collide with those of the
 * browser.
 */
interface Torrent {
  readonly infoHash: string
  on(event: 'trackerAnnounce', listener: () => void): void
}

interface Client {
  add(metainfo: Uint8Array, options: object): Torrent
  seed(path: string, options: object): Torrent
}

interface Connection extends EventTarget {
  readonly iceGatheringState: string
  setRemoteDescription(description: object): Promise<void>
}

const { values } = parseArgs({
  options: {
    torrent: { type: 'string' },
    file: { type: 'string', default: '' },
    folder: { type: 'string', default: '' },
    tracker: { type: 'string', default: '' },
    fixed: { type: 'boolean', default: false },
  },
})

// Neither package has types of its own.
const [engine, connections]: [string, string] = ['webtorrent', 'webrtc-polyfill']

function tellWhenComplete(connection: Connection): void {
  connection.addEventListener('icegatheringstatechange', () => {
    if (connection.iceGatheringState !== 'complete') return
    connection.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate: null }))
  })
}

if (values.fixed) {
  const { RTCPeerConnection } = (await import(connections)) as { RTCPeerConnection: { prototype: Connection } }
  const take = RTCPeerConnection.prototype.setRemoteDescription
  RTCPeerConnection.prototype.setRemoteDescription = function (this: Connection, description) {
    tellWhenComplete(this)
    return take.call(this, description)
  }
}

const { default: WebTorrent } = (await import(engine)) as { default: new (options: object) => Client }
const client = new WebTorrent({
  dht: false,
  lsd: false,
  natUpnp: false,
  natPmp: false,
  utp: false,
  torrentPort: { port: 0, host: '127.0.0.1' },
  tracker: { rtcConfig: { iceServers: [] }, ...(values.fixed && { getAnnounceOpts: () => ({ numwant: 0 }) }) },
})
const announce = [values.tracker]
const torrent =
  values.torrent === undefined
    ? client.seed(join(values.folder, values.file), { announce })
    : client.add(await readFile(values.torrent), { path: values.folder, announce, skipVerify: true })
torrent.on('trackerAnnounce', () => process.stdout.write(`${JSON.stringify({ announced: torrent.infoHash })}\n`))
