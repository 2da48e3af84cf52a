import {
  type About,
  type Access,
  type Description,
  fileIndexOf,
  fitDescription,
  InvalidInputError,
  type ItemIdentity,
  needsIndex,
  newHeader,
  pathSchema,
  payloadKeyOf,
  payloadNonceBytes,
  sealDescription,
} from '@eldernode/core'
import { randomBytes } from 'node:crypto'
import type { PlainItem, Sealing } from '../ingest/index.ts'

/** The encryption of one item under its own identity. */
export class ItemSealing implements Sealing {
  readonly identity: ItemIdentity
  readonly #access: Access
  /** Whether the item's last stored file lists the others. */
  #indexed = false

  constructor(identity: ItemIdentity, access: Access) {
    this.identity = identity
    this.#access = access
  }

  async begin(): Promise<{ head: Uint8Array; key: Uint8Array }> {
    const { header, fileKey } = await newHeader([this.identity.recipient])
    const nonce = randomBytes(payloadNonceBytes)
    return { head: Buffer.concat([header, nonce]), key: payloadKeyOf(fileKey, nonce) }
  }

  epilogue({ files }: Pick<PlainItem, 'files'>): Uint8Array | undefined {
    const listed = listOf(files)
    this.#indexed = needsIndex(listed)
    return this.#indexed ? fileIndexOf(listed) : undefined
  }

  rename(name: string, paths: readonly string[]): { name: string; paths: string[] } {
    if (this.#access !== 'private') return openNames(name, paths)
    const stem = randomBytes(16).toString('hex')
    if (paths.length === 1) return { name: `${stem}.age`, paths: [`${stem}.age`] }
    return { name: stem, paths: paths.map((_path, n) => `${n}.age`) }
  }

  /**
   * What the manifest says of the item: of a private one, nothing that its readers alone may know.
   * @throws DescriptionTooLongError
   */
  async about({ name, files }: PlainItem, about: About): Promise<About> {
    const hidden = this.#access === 'private' ? hiddenOf(about) : {}
    const description = { name, ...hidden, files: listOf(files) }
    return await sealedAbout(description, this.#indexed, this.identity, this.#access, about)
  }
}

/**
 * What is said of an item, with `whole` sealed in it. `indexed`: its last stored file lists the others.
 * @throws DescriptionTooLongError
 */
export async function sealedAbout(
  whole: Omit<Description, 'index'>,
  indexed: boolean,
  { recipient }: Pick<ItemIdentity, 'recipient'>,
  access: Access,
  about: About,
): Promise<About> {
  const sealed = await sealDescription(fitDescription(whole, indexed), recipient)
  const encryption = { format: 'age' as const, recipient, sealed }
  if (access !== 'private') return { ...about, encryption }
  const { tags: _tags, media: _media, previews: _previews, ...shown } = about
  return { ...shown, encryption }
}

/** Of what is said of an item, what the manifest of a private one must not show. */
function hiddenOf({ tags, media, previews }: About): Pick<About, 'tags' | 'media' | 'previews'> {
  return { ...(tags && { tags }), ...(media && { media }), ...(previews && { previews }) }
}

function listOf(files: PlainItem['files']): Description['files'] {
  return files.map(({ path, type, size }) => ({ path, type, size }))
}

/** Their own names, as age files. @throws InvalidInputError when one is too long for that */
function openNames(name: string, paths: readonly string[]): { name: string; paths: string[] } {
  if (paths.length === 1) return { name: aged(name), paths: [aged(name)] }
  const taken = new Set(paths)
  let index = 'index'
  for (let n = 1; taken.has(index); n++) index = `index-${n}`
  return { name, paths: paths.map((path) => aged(path === '' ? index : path)) }
}

function aged(path: string): string {
  const result = `${path}.age`
  if (!pathSchema.safeParse(result).success)
    throw new InvalidInputError(`The name ${path.slice(0, 80)}... is too long to be that of an encrypted file.`)
  return result
}
