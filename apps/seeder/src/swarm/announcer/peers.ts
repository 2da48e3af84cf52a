/** Compact IPv4 peers: 4 bytes of address, 2 of port, in network order (BEP 23). Bytes left over are ignored. */
export function compactPeers(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const peers: string[] = []
  for (let at = 0; at + 6 <= bytes.length; at += 6) {
    peers.push(`${bytes.subarray(at, at + 4).join('.')}:${view.getUint16(at + 4)}`)
  }
  return peers
}

/** Compact IPv6 peers: 16 bytes of address, 2 of port (BEP 7). */
export function compactPeers6(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const peers: string[] = []
  for (let at = 0; at + 18 <= bytes.length; at += 18) {
    const groups = Array.from({ length: 8 }, (_, group) => view.getUint16(at + group * 2).toString(16))
    peers.push(`[${groups.join(':')}]:${view.getUint16(at + 16)}`)
  }
  return peers
}
