/*
 * Stock WebTorrent downloads what a .torrent names, or seeds what is there of it, until it is ended: TORRENT FOLDER PORT
 * [--answers]. With --answers it makes no offers over WebSocket: those of a seeder collide with those of a browser.
 */
import WebTorrent from 'webtorrent'
import { tellEndOfCandidates } from '../harness/end-of-candidates.ts'

const [torrent = '', path = '', port = '', answers = ''] = process.argv.slice(2)
tellEndOfCandidates()
const client = new WebTorrent({
  dht: false,
  lsd: false,
  utp: false,
  utPex: false,
  natUpnp: false,
  natPmp: false,
  torrentPort: Number(port),
  tracker: {
    rtcConfig: { iceServers: [] },
    ...(answers === '--answers' && { getAnnounceOpts: () => ({ numwant: 0 }) }),
  },
})
client.on('error', (error: Error) => {
  console.error(error)
  process.exit(1)
})
client.add(torrent, { path }, ({ infoHash }) => console.log(`${infoHash} is added`))
