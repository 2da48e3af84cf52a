import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { DiskFullError, InvalidInputError } from '@eldernode/core'
import type { Digest, Staging } from '../library/index.ts'
import { abortable } from './abortable.ts'
import { EmptyFileError, EmptyItemError, ItemTooLargeError } from './errors.ts'
import { createHashWorkers } from './hashing.ts'
import { Intake } from './intake.ts'
import { MemoryBudget } from './memory.ts'
import { contentDigest, describe } from './metainfo.ts'
import { checkName, ItemPaths, layOut } from './names.ts'
import { mostBytesOf, pieceLengthOf } from './piece-length.ts'
import type { IncomingFile, Ingest, Ingested, IngestOptions } from './port.ts'
import { readInto } from './reading.ts'

/** Hashing that uploads and checks share: a few threads and a bounded amount of memory. */
export function createHashing({
  threads = Math.min(2, Math.max(1, availableParallelism() - 1)),
  memoryBytes = 32 * 1024 * 1024,
} = {}) {
  const workers = createHashWorkers({ count: threads })
  const budget = new MemoryBudget(memoryBytes)
  const digest: Digest = async (path, signal) => {
    const job = workers.open({ describe: true })
    try {
      const size = await readInto(job, path, budget, signal)
      job.endFile(path)
      const [file] = (await job.finish()).files
      if (file === undefined) throw new Error('a hash job of one file gave none')
      return { sha256: file.sha256, type: file.type, size }
    } finally {
      job.drop()
    }
  }
  return { workers, budget, digest, close: () => workers.close() }
}

export type Hashing = ReturnType<typeof createHashing>

export interface IngestParts {
  hashing: Hashing
  stage: () => Promise<Staging>
  /** Bytes of one item at most. */
  maxItemBytes: number
}

/** Files of one item at most, so that its info dictionary stays well below what clients take (BEP 9). */
const maxFiles = 10_000

export function createIngest({ hashing, stage, maxItemBytes }: IngestParts): Ingest {
  const receiveInto = async (staging: Staging, files: AsyncIterable<IncomingFile>, options: IngestOptions) => {
    const { name, expectedSize, signal } = options
    let pieceLength = pieceLengthOf(expectedSize ?? 0)
    const mostBytes = mostBytesOf(pieceLength)
    let guessFailed = false
    const job = hashing.workers.open({ pieceLength, describe: true })
    const intake = new Intake(job, hashing.budget, expectedSize)
    try {
      const paths: string[] = []
      const sizes: number[] = []
      const seen = new ItemPaths()
      for await (const file of abortable(files, signal)) {
        if (paths.length === maxFiles) throw new InvalidInputError(`An item has at most ${maxFiles} files: send fewer.`)
        seen.add(file.path)
        const before = intake.size
        await intake.begin(staging.filePath(paths.length))
        for await (const chunk of abortable(file.bytes, signal)) {
          if (intake.size + chunk.length > maxItemBytes) throw new ItemTooLargeError(maxItemBytes)
          await intake.take(chunk)
          if (intake.size > mostBytes && !guessFailed) {
            guessFailed = true
            job.dropPieces()
          }
        }
        if (intake.size === before) throw new EmptyFileError(file.path)
        await intake.end(file.path)
        paths.push(file.path)
        sizes.push(intake.size - before)
      }
      if (paths.length === 0) throw new EmptyItemError()
      const result = await job.finish()
      let { pieces } = result
      if (pieceLength !== pieceLengthOf(intake.size)) {
        pieceLength = pieceLengthOf(intake.size)
        pieces = await piecesOf(staging, paths.length, pieceLength, signal)
      }
      const layout = layOut(paths, name)
      const list = result.files.map((file, n) => ({
        path: layout.paths[n] ?? '',
        size: sizes[n] ?? 0,
        sha256: file.sha256,
        type: file.type,
      }))
      const input = { name: layout.name, size: intake.size, pieceLength, pieces, files: list }
      const sha256 = contentDigest(list)
      return { staging, name: layout.name, size: intake.size, pieceLength, files: list, sha256, ...describe(input) }
    } finally {
      job.drop()
      await intake.close()
    }
  }

  /** The second pass, after a wrong guess of the size. */
  const piecesOf = async (staging: Staging, count: number, pieceLength: number, signal: AbortSignal | undefined) => {
    const job = hashing.workers.open({ pieceLength })
    try {
      for (let n = 0; n < count; n++) await readInto(job, staging.filePath(n), hashing.budget, signal)
      return (await job.finish()).pieces
    } finally {
      job.drop()
    }
  }

  return {
    receive: async (files, options): Promise<Ingested> => {
      if (options.name !== undefined) checkName(options.name)
      const staging = await stage()
      try {
        return await receiveInto(staging, files, options)
      } catch (error) {
        await staging.discard()
        throw DiskFullError.of(error, dirname(staging.folder))
      }
    },
  }
}
