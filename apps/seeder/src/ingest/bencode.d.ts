declare module 'bencode' {
  const bencode: {
    encode(value: unknown): Uint8Array
    /** Byte strings come back as Uint8Array, dictionaries as objects. @throws Error on malformed input */
    decode(bytes: Uint8Array): unknown
  }
  export default bencode
}
