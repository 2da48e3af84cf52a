import { dirname } from 'node:path'
import {
  contentSha256,
  DiskUnwritableError,
  headBytes,
  InvalidInputError,
  type ItemFile,
  payloadSizeOf,
  pieceLengthOf,
} from '@eldernode/core'
import type { Staging } from '../library/index.ts'
import { agreedType } from './declared-type.ts'
import type { Hashing } from './hashing.ts'
import { DigestMismatchError, ForeignBytesError } from './errors.ts'
import { Intake, type TakenFile } from './intake.ts'
import { takeHashed } from './lying.ts'
import type { JobResult } from './messages.ts'
import { describe } from './metainfo.ts'
import { checkName, layOut } from './names.ts'
import type { Foreign, IncomingFile, Ingest, Ingested, IngestOptions, PlainItem, Sealing } from './port.ts'
import { readInto } from './reading.ts'
import { RunningHash } from './running-hash.ts'
import { describeSmall, gather, smallBytes } from './small.ts'

/** The media type of an age file. */
const sealedType = 'application/vnd.age'

interface Layout {
  name: string
  paths: string[]
}

export interface IngestParts {
  hashing: Hashing
  stage: () => Promise<Staging>
  /** Keeps the files of a small item in memory; without it all are staged. */
  hold?: (bytes: readonly Uint8Array[]) => Staging
  /** Bytes of one item at most. */
  maxItemBytes: number
}

export function createIngest({ hashing, stage, hold, maxItemBytes }: IngestParts): Ingest {
  const { workers, sealers, budget } = hashing

  const receiveInto = async (staging: Staging, files: AsyncIterable<IncomingFile>, options: IngestOptions) => {
    const { name: wantedName, expectedSize = 0, disposable = false, sealing, signal } = options
    const foreseen = pieceLengthOf(sealing === undefined ? expectedSize : headBytes + payloadSizeOf(expectedSize))
    const job = workers.open({ pieceLength: foreseen, describe: true })
    const sealJob = sealing && sealers.open({ describe: true })
    const limits = { expectedSize, maxBytes: maxItemBytes, disposable }
    const intake = new Intake({
      staging,
      job,
      budget,
      pieceLength: foreseen,
      ...limits,
      sealing: sealing && sealJob && { port: sealing, job: sealJob },
    })
    try {
      await intake.readAll(files, signal)
      const layout = layOut(intake.files, wantedName)
      const plain = sealJob && plainOf(intake.files, layout, (await sealJob.finish()).files)
      if (plain !== undefined) agree(options.declaredType, intake.files, plain.files)
      const sealed = sealing && plain && (await sealRest(sealing, intake, plain))
      const result = await job.finish()
      if (plain === undefined) agree(options.declaredType, intake.files, result.files)
      const size = intake.stored
      const pieceLength = pieceLengthOf(size)
      const pieces =
        pieceLength === foreseen ? result.pieces : await piecesOf(staging, result.files.length, pieceLength, signal)
      const { name, paths } = sealed?.layout ?? layout
      const sizes = sealed?.sizes ?? intake.files.map((file) => file.stored)
      const described = itemFiles(result.files, paths, sizes, sealing && sealedType)
      const sha256 = contentSha256(described)
      const sent = plain?.sha256 ?? sha256
      checkDigest(options.sha256, sent)
      const { metainfo, infoHash } = describe({ name, size, pieceLength, pieces, files: described })
      return {
        staging,
        name,
        size,
        pieceLength,
        files: described,
        sha256,
        infoHash,
        metainfo,
        ...(plain && { plain }),
      }
    } finally {
      sealJob?.drop()
      job.drop()
      await intake.close()
    }
  }

  /** Stores what comes behind the files of an encrypted item, and says what all are called and how large they are on disk. */
  const sealRest = async (sealing: Sealing, intake: Intake, plain: PlainItem) => {
    const { name, files } = plain
    const epilogue = sealing.epilogue(plain)
    const paths = files.map(({ path }) => path)
    const sizes = intake.files.map((file) => file.stored)
    if (epilogue === undefined) return { layout: sealing.rename(name, paths), sizes }
    const job = sealers.open({ describe: true })
    try {
      sizes.push(await intake.append(epilogue, { port: sealing, job }))
      return { layout: sealing.rename(name, [...paths, '']), sizes }
    } finally {
      job.drop()
    }
  }

  /** The second pass, after a wrong guess of the size. */
  const piecesOf = async (staging: Staging, count: number, pieceLength: number, signal: AbortSignal | undefined) => {
    const job = workers.open({ pieceLength })
    try {
      for (let n = 0; n < count; n++) await readInto(job, staging.filePath(n), budget, signal)
      return (await job.finish()).pieces
    } finally {
      job.drop()
    }
  }

  const adopt = async (staging: Staging, foreign: Foreign, signal?: AbortSignal): Promise<Ingested> => {
    const { infoHash, name, pieceLength, pieces, metainfo } = foreign
    const job = workers.open({ pieceLength, describe: true })
    try {
      for (const [n, { path, size }] of foreign.files.entries()) {
        if ((await readInto(job, staging.filePath(n), budget, signal)) !== size) throw new ForeignBytesError(infoHash)
        job.endFile(path)
      }
      const result = await job.finish()
      if (Buffer.compare(result.pieces, pieces) !== 0) throw new ForeignBytesError(infoHash)
      const files = foreign.files.map(({ path, size }, n) => {
        const found = result.files[n]
        if (found === undefined) throw new ForeignBytesError(infoHash)
        return { path, size, sha256: found.sha256, type: found.type }
      })
      const size = files.reduce((sum, file) => sum + file.size, 0)
      return { staging, name, size, pieceLength, files, sha256: contentSha256(files), infoHash, metainfo }
    } finally {
      job.drop()
    }
  }

  return {
    adopt,
    follow: (size) => new RunningHash(size, hashing),
    receive: async (files, options): Promise<Ingested> => {
      const { name, expectedSize = Infinity, sealing, hashed, signal } = options
      if (name !== undefined) checkName(name)
      let rest = files
      if (hold !== undefined && sealing === undefined && expectedSize <= smallBytes) {
        const taken = await gather(files, { maxBytes: maxItemBytes, signal })
        if (Array.isArray(taken)) {
          const ingested = await describeSmall(taken, name, hold)
          return await agreed(ingested, taken, options)
        }
        rest = taken
      }
      if (hashed !== undefined && sealing === undefined) {
        const taken = await takeHashed(rest, { hashed, name, stage, maxBytes: maxItemBytes })
        if ('staging' in taken) return await agreed(taken, taken.files, options)
        rest = taken
      }
      const staging = await stage()
      try {
        return await receiveInto(staging, rest, options)
      } catch (error) {
        await staging.discard()
        throw DiskUnwritableError.of(error, dirname(staging.folder))
      }
    },
  }
}

/** What was ingested, if it is what was said of it. @throws TypeMismatchError, InvalidInputError, DigestMismatchError */
async function agreed(
  ingested: Ingested,
  taken: { path: string }[],
  { declaredType, sha256 }: IngestOptions,
): Promise<Ingested> {
  try {
    agree(declaredType, taken, ingested.files)
    checkDigest(sha256, ingested.sha256)
    return ingested
  } catch (error) {
    await ingested.staging.discard()
    throw error
  }
}

/** Settles the type of the only file. @throws TypeMismatchError, InvalidInputError when there are several */
function agree(declared: string | undefined, taken: { path: string }[], found: { type: string }[]): void {
  if (declared === undefined) return
  const [file, ...others] = found
  if (file === undefined || others.length > 0)
    throw new InvalidInputError('A type can be declared for an item of one file only: leave it out.')
  file.type = agreedType(file.type, declared, taken[0]?.path ?? '')
}

/** @throws DigestMismatchError */
function checkDigest(expected: string | undefined, found: string): void {
  if (expected !== undefined && expected !== found) throw new DigestMismatchError(expected, found)
}

function itemFiles(
  hashed: JobResult['files'],
  paths: string[],
  sizes: number[],
  sealed: string | undefined,
): ItemFile[] {
  return hashed.map(({ sha256, type }, n) => {
    const [path, size] = [paths[n], sizes[n]]
    if (path === undefined || size === undefined) throw new Error('more files hashed than received')
    return { path, size, sha256, type: sealed ?? type }
  })
}

function plainOf(taken: TakenFile[], { name, paths }: Layout, hashed: JobResult['files']): PlainItem {
  const sizes = taken.map(({ size }) => size)
  const files = itemFiles(hashed, paths, sizes, undefined)
  return { name, files, size: sizes.reduce((sum, size) => sum + size, 0), sha256: contentSha256(files) }
}
