/** Words of one infohash: 20 bytes, big-endian. */
export const infoHashWords = 5

/** Appends infohashes (40 lower-case hex digits each) to one array of words, as they travel between threads. */
export const wordsOf = (infoHashes: readonly string[]): Int32Array<ArrayBuffer> => {
  const words = new Int32Array(infoHashes.length * infoHashWords)
  const bytes = Buffer.from(infoHashes.join(''), 'hex')
  for (let i = 0; i < words.length; i++) words[i] = bytes.readInt32BE(i * 4)
  return words
}

/** The infohashes in an array of words. */
export function* infoHashesIn(words: Int32Array): Iterable<string> {
  const bytes = Buffer.alloc(20)
  for (let at = 0; at + infoHashWords <= words.length; at += infoHashWords) {
    for (let i = 0; i < infoHashWords; i++) bytes.writeInt32BE(words[at + i] as number, i * 4)
    yield bytes.toString('hex')
  }
}
