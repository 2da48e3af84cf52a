import Server from 'bittorrent-tracker/server'

/** The stock tracker on a port of 127.0.0.1, until it is killed. */
const port = Number(process.argv[2])
const server = new Server({ http: true, udp: true, ws: true, stats: false, interval: 600_000 })
server.on('warning', () => {})
// Its udp6 socket does not go with an IPv4 host.
server.on('error', () => {})
server.listen({ http: port, udp: port }, { http: '127.0.0.1', udp: '127.0.0.1', udp6: '::1' }, () => {})
