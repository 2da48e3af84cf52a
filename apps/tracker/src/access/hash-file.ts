import { createReadStream } from 'node:fs'
import { HashFileError } from './errors.ts'
import { InfoHashSet } from './info-hash-set.ts'
import { infoHashWords } from './info-hash-words.ts'

/** What some editors put before the first line of a file in UTF-8, each byte as one character. */
const byteOrderMark = '\u{ef}\u{bb}\u{bf}'

/** Characters of one line: an infohash and a comment. */
const longestLine = 1000

/**
 * Reads a file of infohashes: 40 hex digits a line, what follows `#` is for people. An empty path is an empty file. It may
 * hold millions: the process answers meanwhile. Throws `HashFileError`.
 *
 * @param setting that names the file, for the message
 * @param random from 0 to below 1, unforeseeable
 */
export const readHashFile = async (setting: string, path: string, random: () => number): Promise<InfoHashSet> => {
  const set = new InfoHashSet(random)
  if (path === '') return set
  const words = new Int32Array(5)
  let line = 0
  let rest = ''
  const take = (text: string): void => {
    line++
    const from = line === 1 && text.startsWith(byteOrderMark) ? byteOrderMark.length : 0
    const mark = text.indexOf('#')
    const infoHash = text.slice(from, mark === -1 ? undefined : mark).trim()
    if (infoHash === '') return
    if (!infoHashWords(infoHash, words))
      throw new HashFileError(setting, path, `line ${line} is no infohash of 40 hex digits`)
    set.add(words)
  }
  try {
    for await (const chunk of createReadStream(path, 'latin1') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const text of lines) take(text)
      if (rest.length > longestLine) throw new HashFileError(setting, path, `line ${line + 1} is too long`)
    }
    take(rest)
  } catch (error) {
    if (error instanceof HashFileError) throw error
    throw new HashFileError(setting, path, error instanceof Error ? error.message : String(error), error)
  }
  return set
}
