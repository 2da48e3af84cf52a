let last: ArrayBufferLike = new ArrayBuffer(0)
let lastWords: Int32Array = new Int32Array(last)

/** The memory that some bytes lie in, as words from its own beginning; what is left over behind them is none. */
export const wordsIn = (bytes: Uint8Array): Int32Array => {
  const { buffer } = bytes
  // Messages that came together lie in one piece of memory.
  if (buffer !== last) {
    last = buffer
    lastWords = new Int32Array(buffer, 0, buffer.byteLength >> 2)
  }
  return lastWords
}
