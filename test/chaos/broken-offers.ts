const head = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n'
const channel = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n'
const credentials = 'a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n'
const fingerprint = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}\r\n`

const sdps: readonly string[] = [
  'v=0',
  ' ',
  'not a description',
  '\u0000'.repeat(100),
  head,
  head + channel,
  head + channel + credentials,
  // The fingerprint is too short, of a sum that nobody knows, and no sum at all.
  `${head}${channel}${credentials}a=fingerprint:sha-256 AB:CD\r\n`,
  `${head}${channel}${credentials}a=fingerprint:md77 AB:CD\r\n`,
  `${head}${channel}${credentials}a=fingerprint:\r\n`,
  `${head}${channel}a=ice-ufrag:\r\na=ice-pwd:\r\n${fingerprint}`,
  `${head}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n${credentials}${fingerprint}`,
  head + channel.repeat(60) + credentials + fingerprint,
  `${head}${channel}a=mid:${'x'.repeat(5_000)}\r\n${credentials}${fingerprint}`,
  `${head}${channel}a=sctp-port:99999999999\r\na=max-message-size:-1\r\n${credentials}${fingerprint}`,
  `${head}${channel}${credentials}${fingerprint}a=candidate:1 1 udp 1 999.999.1.1 99999 typ host\r\n`,
  `${head}${channel}${credentials}${fingerprint}${'a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n'.repeat(100)}`,
  `${head}${channel}${credentials}${fingerprint}a=setup:nobody\r\n`,
  // Whole, from a peer that never comes.
  `${head}${channel}${credentials}${fingerprint}a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n`,
]

/** Offers as a decent tracker passes them on, each of which leads nowhere. */
export const wellFormedOffers = sdps.map((sdp) => ({ type: 'offer', sdp }))

/** The same, and such as only a mad tracker passes on. */
export const brokenOffers: readonly unknown[] = [
  ...wellFormedOffers,
  { type: 'answer', sdp: sdps[0] },
  { type: 'offer' },
  { type: 'offer', sdp: 5 },
  null,
  'v=0',
  [],
]
