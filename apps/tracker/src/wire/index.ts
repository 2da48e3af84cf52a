export { type Head, HttpHead, heads, readHead } from './http-head.ts'
export { announceText, failureText, type Intervals, parseHttpAnnounce, parseHttpScrape, scrapeText } from './http.ts'
export { readPath, TrackerPath } from './path.ts'
export {
  parseUdp,
  scrapedHashes,
  udpActions,
  UdpRequest,
  writeAnnounce,
  writeConnect,
  writeError,
  writeScrape,
} from './udp.ts'
export {
  answerMessage,
  infoHashOf,
  maxMessage,
  offerMessage,
  parseWebSocket,
  refusalMessage,
  type SocketAnnounce,
  type SocketMessage,
  type SocketScrape,
} from './websocket.ts'
