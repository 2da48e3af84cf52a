import Wire from 'bittorrent-protocol'
import { decode } from '../metainfo/bencode.ts'
import { maxMetainfoBytes } from '../metainfo/metainfo.ts'

/** The largest honest message of a peer is a block of 128 KiB or a bitfield; pieces of a web seed come as one message. */
const maxMessageBytes = 1024 * 1024
const maxPieceMessageBytes = 16 * 1024 * 1024 + 1024

/** What a connection may have waiting to be sent; a peer that asks and does not read is dropped beyond it. */
const maxUnsentBytes = 8 * 1024 * 1024

/** What a peer may send before it is known which torrent it wants: nothing but greetings is due from it then. */
const maxUnreadBytes = 64 * 1024

/** BEP 9 as every client writes it. The engine cuts and decodes the head by itself, so nothing else may reach it. */
const metadataHead = /^d8:msg_typei\d{1,3}e5:piecei\d{1,7}e(10:total_sizei\d{1,9}e)?e/

/**
 * Puts limits on all connections of the engine. Threats met here, each by one message of any peer: a length that
 * makes it buffer 2 GB, much while it waits for the torrent, bencoding that makes it loop for ever, a payload whose handler throws (in the stream's write,
 * so nothing else would catch it and the process would end), requests whose answers are never read.
 */
export function guardWires(): void {
  const proto = Wire.prototype
  const { _processBuffer, _onMessageLength, _onMessage, _onExtended, _push, extended } = proto

  proto._processBuffer = function () {
    if (this._pePending && this._bufferSize > maxUnreadBytes) return this.destroy()
    try {
      _processBuffer.call(this)
    } catch {
      this.destroy()
    }
  }

  proto._onMessageLength = function (buffer) {
    const length = new DataView(buffer.buffer, buffer.byteOffset).getUint32(0)
    const limit = this.type === 'webSeed' ? maxPieceMessageBytes : maxMessageBytes
    if (length > limit) return this.destroy()
    _onMessageLength.call(this, buffer)
  }

  proto._onMessage = function (buffer) {
    if (hasFixedLength(buffer)) _onMessage.call(this, buffer)
    else this.destroy()
  }

  proto._onExtended = function (id, payload) {
    const name = id === 0 ? 'handshake' : this.extendedMapping[id]
    if (name === 'ut_metadata') {
      const head = Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, 100)).toString('latin1')
      if (!metadataHead.test(head)) return this.destroy()
    } else if (name === 'handshake') {
      const handshake = decode(payload)
      if (!(handshake instanceof Map)) return this.destroy()
      const size = handshake.get('metadata_size')
      if (size !== undefined && (typeof size !== 'number' || size > maxMetainfoBytes)) return this.destroy()
      if (handshake.has('m') && !(handshake.get('m') instanceof Map)) return this.destroy()
    } else if (name === 'ut_pex') {
      decode(payload)
    }
    _onExtended.call(this, id, payload)
  }

  proto._push = function (bytes) {
    if (this.type !== 'webSeed' && this._readableState.buffered > maxUnsentBytes) {
      this.destroy()
      return false
    }
    return _push.call(this, bytes)
  }

  // Some callers are asynchronous, where a throw for an extension the peer withdrew would end the process.
  proto.extended = function (extension, payload) {
    try {
      extended.call(this, extension, payload)
    } catch {
      this.destroy()
    }
  }
}

/** Messages of known kinds have the length that BEP 3 and BEP 6 give them; shorter ones would be read past their end. */
const lengths = new Map([
  [0, 1],
  [1, 1],
  [2, 1],
  [3, 1],
  [4, 5],
  [6, 13],
  [8, 13],
  [9, 3],
  [13, 5],
  [14, 1],
  [15, 1],
  [16, 13],
  [17, 5],
])

function hasFixedLength(message: Uint8Array): boolean {
  const kind = message[0]
  if (kind === undefined) return false
  if (kind === 7) return message.length > 9
  if (kind === 20) return message.length >= 2
  return (lengths.get(kind) ?? message.length) === message.length
}
