export { announceUrl, parseHttpAnnounce, parseHttpScrape, scrapeAnswer } from './http.ts'
export { connectAnswer, forEngine, parseUdp, type UdpRequest } from './udp.ts'
export { engineMessage, maxMessage, parseWebSocket, type WebSocketAnnounce } from './websocket.ts'
