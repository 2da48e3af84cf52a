import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { ImportFailedError, ImportStalledError } from './errors.ts'
import { plainName } from './names.ts'

/**
 * Bounds on the program itself: what it reads of a page it keeps in memory, unpacked, and parts of streams in files.
 * KiB of memory, blocks of 512 bytes of a file, seconds of processor time.
 */
const limits = 'ulimit -v 2097152; ulimit -f 1048576; ulimit -t 3600'
const mostSaid = 64 * 1024
const mark = 'eldernode-media '
const mediaSchema = z.object({ title: z.string().max(10_000).optional(), ext: z.string().max(100).optional() })

type Child = ChildProcessByStdio<null, Readable, Readable>

/** What it fetches by itself, over HTTP: the best of all, of what is sound alone, of what is picture alone. */
const formats = ['b', 'ba', 'bv']
  .flatMap((kind) => ['^=http', '=m3u8_native'].map((protocol) => `${kind}[protocol${protocol}]`))
  .join('/')

export interface YtDlpOptions {
  url: string
  /** The program's path. */
  program: string
  /** All of its connections go through this. */
  proxy: string
  /** Of its own: its home and where it works; what it may run is in `bin` below. */
  folder: string
  maxBytes: number
  /** Milliseconds in which it must find the media, and then give more of it each time. */
  idleMs: number
  signal: AbortSignal
}

/** One run of yt-dlp: the media it finds in a page comes through its standard output, and nothing through files. */
export class YtDlp {
  readonly #child: Child
  readonly #idleMs: number
  readonly #ended: Promise<number | null>
  /** The last it said. */
  #said = ''
  #failure: Error | undefined

  constructor(options: YtDlpOptions) {
    const { program, folder, signal } = options
    this.#idleMs = options.idleMs
    this.#child = spawn('/bin/sh', ['-c', `${limits}; exec "$0" "$@"`, program, ...argumentsOf(options)], {
      cwd: folder,
      // Nothing of this node's: no settings, no proxies, no user's plug-ins. And no other program on its path: ffmpeg,
      // rtmpdump and the like would go past the proxy, to any address and protocol that a playlist names.
      env: { PATH: join(folder, 'bin'), HOME: folder, TMPDIR: folder, LANG: 'C.UTF-8', PYTHONNOUSERSITE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what it starts ends with it.
      detached: true,
    })
    this.#child.on('error', (error) => (this.#failure ??= new ImportFailedError(error.message, { cause: error })))
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-mostSaid)
    })
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve))
    signal.addEventListener('abort', () => this.#kill(signal.reason as Error), { once: true })
    if (signal.aborted) this.#kill(signal.reason as Error)
  }

  /** A plain name for the media, once it is found. @throws ImportFailedError, ImportStalledError; the abort reason */
  async name(): Promise<string> {
    const late = setTimeout(() => this.#kill(this.#silence()), this.#idleMs)
    try {
      for (;;) {
        const line = this.#said.split('\n').find((said) => said.startsWith(mark))
        if (line !== undefined) return nameOf(line.slice(mark.length))
        const over = await Promise.race([
          once(this.#child.stderr, 'data').then(() => false),
          this.#ended.then(() => true),
        ])
        if (over && !this.#said.includes(mark)) throw this.#error()
      }
    } finally {
      clearTimeout(late)
    }
  }

  /** To be read once, to its end: what came of a run that failed is no media. @throws as `name` does */
  async *bytes(): AsyncGenerator<Uint8Array> {
    let waiting = true
    const late = setTimeout(() => waiting && this.#kill(this.#silence()), this.#idleMs)
    try {
      for await (const chunk of this.#child.stdout as AsyncIterable<Uint8Array>) {
        waiting = false
        yield chunk
        waiting = true
        late.refresh()
      }
      if ((await this.#ended) !== 0 || this.#failure !== undefined) throw this.#error()
    } finally {
      clearTimeout(late)
    }
  }

  /** Resolves when nothing of it runs any more. */
  async end(): Promise<void> {
    this.#kill(new ImportFailedError('it was ended'))
    this.#child.stdout.resume()
    await this.#ended
  }

  #kill(reason: Error): void {
    this.#failure ??= reason
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It ended before.
    }
  }

  #silence(): Error {
    return new ImportStalledError(`yt-dlp gave nothing for ${this.#idleMs / 1000} s`)
  }

  #error(): Error {
    if (this.#failure !== undefined) return this.#failure
    const last =
      this.#said
        .trimEnd()
        .split('\n')
        .findLast((line) => line.startsWith('ERROR')) ?? 'yt-dlp found no media'
    return new ImportFailedError(last.replace(/\p{C}+/gu, ' ').slice(0, 300))
  }
}

/** The URL comes last, behind `--`, and is http or https: it is never taken for an option, a file or a search. */
function argumentsOf({ url, proxy, maxBytes }: YtDlpOptions): string[] {
  return [
    '--ignore-config',
    '--no-cache-dir',
    `--proxy=${proxy}`,
    '--no-playlist',
    '--playlist-items=1',
    '--match-filter=!is_live',
    // One file as it is: no other program takes it up.
    `--format=${formats}`,
    '--fixup=never',
    '--downloader=native',
    `--max-filesize=${maxBytes}`,
    '--socket-timeout=20',
    '--retries=3',
    '--fragment-retries=3',
    '--extractor-retries=1',
    '--no-warnings',
    '--no-progress',
    '--no-simulate',
    `--print=before_dl:${mark}%(.{title,ext})j`,
    '--output=-',
    '--',
    url,
  ]
}

function nameOf(json: string): string {
  let media: unknown
  try {
    media = JSON.parse(json)
  } catch {
    return 'media'
  }
  const { title = 'media', ext = '' } = mediaSchema.catch({}).parse(media)
  const suffix = /^[a-z0-9]{1,10}$/i.test(ext) ? `.${ext}` : ''
  return plainName(title.replace(/[/\\]/g, '_').slice(0, 200) + suffix) ?? `media${suffix}`
}
