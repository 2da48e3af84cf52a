import { EncryptedHandshake, keyBytes, proposal } from '../harness/encrypted-handshake.ts'
import { handshake, message, type RawPeer } from '../harness/raw-peer.ts'

/** Something that a stranger does to the peer port, with bytes of its own; `infoHash` is an item held there. */
export type Attack = (peer: RawPeer, infoHash: string, random: (count: number) => Buffer) => Promise<void>

const unknown = 'ff'.repeat(20)
const text = (content: string): Buffer => Buffer.from(content, 'latin1')
const uint32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value])

/** The same bytes on every connection. */
const says =
  (bytes: (infoHash: string, random: (count: number) => Buffer) => Uint8Array): Attack =>
  (peer, infoHash, random) =>
    peer.send(bytes(infoHash, random))

/** In plain text: before, within and after the handshake. */
export const plainAttacks: Readonly<Record<string, Attack>> = {
  'random bytes': says((_, random) => random(5_000)),
  'a few random bytes and silence': says((_, random) => random(19)),
  'a truncated handshake and silence': says((infoHash) => handshake(infoHash).subarray(0, 47)),
  'a truncated handshake and the end': async (peer, infoHash) => {
    await peer.send(handshake(infoHash).subarray(0, 30))
    peer.end()
  },
  'an oversized protocol name': says((infoHash) => handshake(infoHash, `\u00ff${'x'.repeat(255)}`)),
  'an empty protocol name': says((infoHash) => handshake(infoHash, '\u0000')),
  'another protocol name': says((infoHash) => handshake(infoHash, '\u0013BitTorrent protocoI')),
  'an HTTP request': says(() => text('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')),
  'a TLS greeting': says((_, random) => Buffer.concat([Buffer.from('16030102000100', 'hex'), random(507)])),
  'a handshake for an unknown item': says(() => handshake(unknown)),
  'two handshakes': says((infoHash) => Buffer.concat([handshake(infoHash), handshake(infoHash)])),
  'a handshake byte by byte, then garbage': async (peer, infoHash, random) => {
    for (const byte of handshake(infoHash)) await peer.send(Uint8Array.of(byte))
    await peer.send(random(2_000))
  },
  'a message of 4 GiB': says((infoHash) => Buffer.concat([handshake(infoHash), uint32(0xffff_ffff), Buffer.alloc(9)])),
  'a message of 1 MB, never ended': says((infoHash) =>
    Buffer.concat([handshake(infoHash), uint32(1_000_000), Buffer.alloc(500_000)]),
  ),
  'random messages': says((infoHash, random) => {
    const bodies = Array.from({ length: 100 }, () => random(1 + (random(1)[0] ?? 0)))
    return Buffer.concat([handshake(infoHash), ...bodies.map((body) => message(body[0] ?? 0, body.subarray(1)))])
  }),
  'bencoding nested 10,000 deep': says((infoHash) =>
    Buffer.concat([handshake(infoHash), message(20, Buffer.concat([Buffer.alloc(1), text('l'.repeat(10_000))]))]),
  ),
}

/** Up to the other side's key. @throws Error when the node hangs up instead */
async function met(peer: RawPeer, infoHash: string): Promise<EncryptedHandshake> {
  const encrypted = new EncryptedHandshake(infoHash)
  await peer.send(encrypted.publicKey)
  encrypted.meet(await peer.read(keyBytes))
  return encrypted
}

/** Step 3 done rightly as far as the name of the item, then something encrypted. */
const proposes =
  (what: (random: (count: number) => Buffer, infoHash: string) => Uint8Array): Attack =>
  async (peer, infoHash, random) => {
    const encrypted = await met(peer, infoHash)
    const said = encrypted.encrypt(what(random, infoHash))
    await peer.send(Buffer.concat([encrypted.synchronisation, encrypted.item, said]))
  }

/** In each step of message stream encryption. */
export const encryptedAttacks: Readonly<Record<string, Attack>> = {
  'a key of zeros': says((_, random) => Buffer.concat([Buffer.alloc(keyBytes), random(600)])),
  'a key of one': says(() => Buffer.concat([Buffer.alloc(keyBytes - 1), Buffer.of(1), Buffer.alloc(600)])),
  'a key beyond the prime': says((_, random) => Buffer.concat([Buffer.alloc(keyBytes, 0xff), random(600)])),
  'half a key and silence': says((_, random) => random(keyBytes / 2)),
  'a key and silence': async (peer, infoHash) => void (await met(peer, infoHash)),
  'padding without an end': async (peer, infoHash, random) => {
    await met(peer, infoHash)
    await peer.send(random(100_000))
  },
  'an item without a name': async (peer, infoHash) => {
    await peer.send((await met(peer, infoHash)).synchronisation)
  },
  'an unknown item': async (peer, _infoHash, random) => {
    const encrypted = await met(peer, unknown)
    await peer.send(Buffer.concat([encrypted.synchronisation, encrypted.item, random(600)]))
  },
  'garbage instead of eight zeros': proposes((random) => random(600)),
  'no method': proposes(() => proposal(0, 0, 0)),
  'methods that nobody knows': proposes(() => proposal(0xffff_fffc, 0, 0)),
  'padding that never comes': proposes(() => proposal(3, 0xffff, 0).subarray(0, 14)),
  'the longest padding': proposes(() => proposal(3, 0xffff, 0)),
  'a first payload that never comes': proposes(() => proposal(3, 0, 0xffff)),
  'a first payload of garbage': proposes((random) => Buffer.concat([proposal(2, 0, 0xffff), random(0xffff)])),
  'half a handshake as first payload': proposes((_, infoHash) =>
    Buffer.concat([proposal(2, 100, 30), handshake(infoHash).subarray(0, 30)]),
  ),
  'a handshake for another item': proposes(() => Buffer.concat([proposal(2, 0, 68), handshake(unknown)])),
  'a handshake, then garbage': proposes((random, infoHash) =>
    Buffer.concat([proposal(2, 0, 68), handshake(infoHash), random(20_000)]),
  ),
  'plain text chosen, then garbage': async (peer, infoHash, random) => {
    await proposes(() => proposal(1, 0, 0))(peer, infoHash, random)
    await peer.send(random(20_000))
  },
}
