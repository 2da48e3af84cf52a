export { HttpHead, heads, readHead } from './http-head.ts'
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
export { longestPassed, SocketMessage, writeAcknowledgement, writeAnswer, writeOffer } from './socket-message.ts'
export { infoHashOf, maxMessage, parseWebSocket, refusalMessage } from './websocket.ts'
export { wordsIn } from './words.ts'
