import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, isAbsolute, join } from 'node:path'

/** Programs by name or path; '' is none. */
export interface ToolPaths {
  ffprobe: string
  ffmpeg: string
}

const lookAgainMs = 30_000

/** What describes media, as far as it is installed. Looked for again now and then: it may come and go with packages. */
export class Tools {
  readonly #paths: ToolPaths
  readonly #now: () => number
  #lookedAt = -Infinity
  #found: { ffprobe?: string; ffmpeg?: string; sharp: boolean } = { sharp: false }

  constructor(paths: ToolPaths, now: () => number) {
    this.#paths = paths
    this.#now = now
  }

  /** `undefined` when it is not installed. */
  get ffprobe(): string | undefined {
    return this.#look().ffprobe
  }

  get ffmpeg(): string | undefined {
    return this.#look().ffmpeg
  }

  get sharp(): boolean {
    return this.#look().sharp
  }

  /** The programs that are missing, by name. */
  absent(): string[] {
    const { ffprobe, ffmpeg } = this.#look()
    return [...(ffprobe === undefined ? ['ffprobe'] : []), ...(ffmpeg === undefined ? ['ffmpeg'] : [])]
  }

  /** What does not work for want of a tool, in words. */
  missing(): string[] {
    const { ffprobe, ffmpeg, sharp } = this.#look()
    return [
      ...(ffprobe === undefined ? ['ffprobe is not installed: no details of sounds and films'] : []),
      ...(ffmpeg === undefined ? ['ffmpeg is not installed: no previews of sounds and films'] : []),
      ...(sharp ? [] : ['sharp has no binary for this platform: no thumbnails and covers']),
    ]
  }

  #look() {
    if (this.#now() - this.#lookedAt < lookAgainMs) return this.#found
    this.#lookedAt = this.#now()
    const [ffprobe, ffmpeg] = [programAt(this.#paths.ffprobe), programAt(this.#paths.ffmpeg)]
    this.#found = { ...(ffprobe && { ffprobe }), ...(ffmpeg && { ffmpeg }), sharp: isInstalled('sharp') }
    return this.#found
  }
}

/** Where a program is; a path is taken as it is. */
function programAt(name: string): string | undefined {
  if (name === '') return undefined
  const candidates = isAbsolute(name)
    ? [name]
    : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name))
  return candidates.find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}
