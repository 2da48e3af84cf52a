// Seeds a file or folder with stock WebTorrent: PATH TORRENT [TRACKER]. Writes the .torrent and prints "infohash port".
import { writeFileSync } from 'node:fs'
import WebTorrent from 'webtorrent'

const [path = '', torrentFile = '', ...trackers] = process.argv.slice(2)
const client = new WebTorrent({ dht: false, lsd: false, utp: false, natUpnp: false, natPmp: false })
client.on('error', (error: Error) => {
  console.error(error)
  process.exit(1)
})
// A piece length that this project would not choose for so few bytes.
client.seed(path, { announceList: trackers.map((url) => [url]), pieceLength: 65_536 }, (torrent) => {
  writeFileSync(torrentFile, torrent.torrentFile)
  console.log(`${torrent.infoHash} ${client.torrentPort}`)
})
