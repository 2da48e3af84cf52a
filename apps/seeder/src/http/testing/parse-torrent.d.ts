declare module 'parse-torrent' {
  interface ParsedTorrent {
    infoHash: string
    name: string
    announce: string[]
    urlList: string[]
  }
  export default function parseTorrent(torrent: Uint8Array): Promise<ParsedTorrent>
}
