import { InvalidInputError, nameSchema, pathSchema } from '@eldernode/core'

const shown = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text)

/** @throws InvalidInputError */
export function checkName(name: string): void {
  const result = nameSchema.safeParse(name)
  if (!result.success) throw new InvalidInputError(`The name ${shown(name)} ${reason(result.error)}.`)
}

const reason = (error: { issues: { message: string }[] }) => error.issues[0]?.message ?? 'is not allowed'

/** Bounds that keep an item's info dictionary well below what clients take from peers (BEP 9). */
const maxFiles = 10_000
const maxPathBytes = 4 * 1024 * 1024

/**
 * The paths of one item as they arrive. Two are the same when they differ in case or Unicode normalisation only: on
 * Windows and macOS they would be one file, and a client there could never finish the item.
 */
export class ItemPaths {
  readonly #files = new Set<string>()
  readonly #folders = new Set<string>()
  #bytes = 0

  /** @throws InvalidInputError for a path that is unsafe, a repeat, both a file and a folder, or one too many */
  add(path: string): void {
    const result = pathSchema.safeParse(path)
    if (!result.success) throw new InvalidInputError(`The path ${shown(path)} ${reason(result.error)}.`)
    this.#bytes += Buffer.byteLength(path)
    if (this.#files.size === maxFiles || this.#bytes > maxPathBytes)
      throw new InvalidInputError(
        `An item has at most ${maxFiles} files and ${maxPathBytes} bytes of paths: publish it as several items.`,
      )
    const key = path.normalize('NFC').toLowerCase()
    if (this.#files.has(key))
      throw new InvalidInputError(`The path ${shown(path)} is there twice (case is not told apart): rename one file.`)
    if (this.#folders.has(key)) throw bothError(path)
    this.#files.add(key)
    for (let end = key.indexOf('/'); end !== -1; end = key.indexOf('/', end + 1)) {
      const folder = key.slice(0, end)
      if (this.#files.has(folder)) throw bothError(path)
      this.#folders.add(folder)
    }
  }
}

const bothError = (path: string) =>
  new InvalidInputError(`The path ${shown(path)} makes one name both a file and a folder: rename one of them.`)

/** The item's name, and its files' paths below that name. The paths given are valid, and at least one. */
export function layOut(files: readonly { path: string }[], name?: string): { name: string; paths: string[] } {
  const parts = files.map(({ path }) => path.split('/'))
  const first = parts[0] ?? []
  const last = first.at(-1) ?? ''
  if (parts.length === 1) return { name: name ?? last, paths: [name ?? last] }
  const root = first[0] ?? ''
  const shared = parts.every((path) => path.length > 1 && path[0] === root)
  return {
    name: name ?? (shared ? root : last),
    paths: parts.map((path) => path.slice(shared ? 1 : 0).join('/')),
  }
}
