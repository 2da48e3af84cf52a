import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { prefixes } from './blobs.ts'
import type { Blobs, Print } from './blobs.ts'
import type { BlobRecord, Catalog } from './catalog.ts'
import type { Digest, Library } from './port.ts'

interface SoundnessParts {
  catalog: Catalog
  blobs: Blobs
  digest: Digest
  /** Where wrong blobs are moved, so that nothing serves them and an operator can look at them. */
  quarantine: string
}

export interface Soundness {
  /** Compares every blob with the catalog and sweeps the files that it does not know. Reads no blob. */
  survey(): Promise<void>
  check: Library['check']
  /** `check` of one blob. @returns whether its bytes may be served */
  checkBlob(sha256: string): boolean
  verify(infoHash: string, options: { all?: boolean; signal?: AbortSignal }): Promise<boolean>
}

/** The modification time remembered for a blob whose bytes were found wrong: no file has it. */
const never = -1
const unreadable = new Set<unknown>(['ENOENT', 'EIO'])

const same = (a: Print, b: Print | undefined) => a.size === b?.size && a.mtimeUs === b.mtimeUs

/** Keeps account of which blobs are what the catalog says. */
export function createSoundness({ catalog, blobs, digest, quarantine }: SoundnessParts): Soundness {
  /** @returns the state that size and time alone speak for; `undefined` when the recorded one stands */
  const compare = (record: BlobRecord): BlobRecord['state'] | undefined => {
    const print = blobs.print(record.sha256)
    let state: BlobRecord['state'] = 'suspect'
    if (print?.size !== record.size) state = 'damaged'
    else if (same(record, print) && record.state !== 'suspect') state = 'sound'
    return state === record.state ? undefined : state
  }

  const apply = (records: BlobRecord[]) => {
    const changed = records.flatMap((record) => {
      const state = compare(record)
      return state === undefined ? [] : [{ ...record, state }]
    })
    if (changed.length > 0) catalog.transact(() => changed.forEach((record) => catalog.setBlob(record)))
  }

  const condemn = (record: BlobRecord) => {
    if (blobs.print(record.sha256) !== undefined) blobs.moveTo(record.sha256, join(quarantine, record.sha256))
    catalog.transact(() => catalog.setBlob({ ...record, mtimeUs: never, state: 'damaged' }))
  }

  const hash = async (sha256: string, signal?: AbortSignal) => {
    for (;;) {
      const print = blobs.print(sha256)
      const found = print && (await digest(blobs.path(sha256), signal).catch(lost))
      const record = catalog.blob(sha256)
      if (record === undefined) return
      // A commit may have put fresh bytes in its place while the old ones were read.
      if (print && !same(print, blobs.print(sha256))) continue
      if (print && found?.sha256 === sha256) {
        if (record.state !== 'sound' || !same(record, print))
          catalog.transact(() => catalog.setBlob({ ...record, ...print, state: 'sound' }))
      } else condemn(record)
      return
    }
  }

  const running = new Map<string, Promise<void>>()
  const hashOnce = (sha256: string, signal?: AbortSignal) => {
    const run = running.get(sha256) ?? hash(sha256, signal).finally(() => running.delete(sha256))
    running.set(sha256, run)
    return run
  }

  return {
    survey: async () => {
      for (const prefix of prefixes) {
        const records = catalog.blobs(prefix)
        const known = new Set(records.map((record) => record.sha256))
        for (const name of blobs.names(prefix)) if (!known.has(name)) blobs.sweep(prefix, name)
        apply(records)
        await setImmediate()
      }
    },
    check: (infoHash) => {
      apply(catalog.blobsOf(infoHash))
      return catalog.item(infoHash) !== undefined
    },
    checkBlob: (sha256) => {
      const record = catalog.blob(sha256)
      if (record !== undefined) apply([record])
      return catalog.blob(sha256)?.state === 'sound'
    },
    verify: async (infoHash, { all = false, signal }) => {
      for (const { sha256, state } of catalog.blobsOf(infoHash)) {
        signal?.throwIfAborted()
        if (all || state !== 'sound') await hashOnce(sha256, signal)
      }
      return catalog.item(infoHash) !== undefined
    },
  }
}

function lost(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && unreadable.has(error.code)) return undefined
  throw error
}
