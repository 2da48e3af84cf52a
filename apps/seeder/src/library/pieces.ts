/** Bytes of the compact form: one time for up to 2,048 groups of neighbouring pieces. */
const mostSlots = 2048

/** How many pieces the bytes make. */
export function pieceCount(size: number, pieceLength: number): number {
  return Math.ceil(size / pieceLength)
}

/** Times of pieces, packed to at most 8 KB, little endian. An item of more pieces has the oldest time of each group. */
export function packTimes(times: Uint32Array): Uint8Array {
  const group = Math.max(1, Math.ceil(times.length / mostSlots))
  const slots = Math.ceil(times.length / group)
  const bytes = Buffer.alloc(slots * 4)
  for (let slot = 0; slot < slots; slot++) {
    let oldest = 0xffffffff
    for (const time of times.subarray(slot * group, (slot + 1) * group)) oldest = Math.min(oldest, time)
    bytes.writeUInt32LE(oldest, slot * 4)
  }
  return bytes
}

/** Undoes `packTimes`. Bytes of another form are taken as nothing known. */
export function unpackTimes(bytes: Uint8Array | undefined, count: number): Uint32Array {
  const times = new Uint32Array(count)
  const group = Math.max(1, Math.ceil(count / mostSlots))
  if (bytes?.length !== Math.ceil(count / group) * 4) return times
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let piece = 0; piece < count; piece++) times[piece] = view.getUint32(Math.floor(piece / group) * 4, true)
  return times
}
