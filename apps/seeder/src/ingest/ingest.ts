import { dirname } from 'node:path'
import { contentSha256, DiskUnwritableError, pieceLengthOf } from '@eldernode/core'
import type { Staging } from '../library/index.ts'
import type { Hashing } from './hashing.ts'
import { ForeignBytesError } from './errors.ts'
import { Intake } from './intake.ts'
import { describe } from './metainfo.ts'
import { checkName, layOut } from './names.ts'
import type { Foreign, IncomingFile, Ingest, Ingested, IngestOptions } from './port.ts'
import { readInto } from './reading.ts'

export interface IngestParts {
  hashing: Hashing
  stage: () => Promise<Staging>
  /** Bytes of one item at most. */
  maxItemBytes: number
}

export function createIngest({ hashing, stage, maxItemBytes }: IngestParts): Ingest {
  const { workers, budget } = hashing

  const receiveInto = async (staging: Staging, files: AsyncIterable<IncomingFile>, options: IngestOptions) => {
    const { name: wantedName, expectedSize = 0, disposable = false, signal } = options
    const foreseen = pieceLengthOf(expectedSize)
    const job = workers.open({ pieceLength: foreseen, describe: true })
    const limits = { expectedSize, maxBytes: maxItemBytes, disposable }
    const intake = new Intake({ staging, job, budget, pieceLength: foreseen, ...limits })
    try {
      await intake.readAll(files, signal)
      const result = await job.finish()
      const { size } = intake
      const pieceLength = pieceLengthOf(size)
      const pieces =
        pieceLength === foreseen ? result.pieces : await piecesOf(staging, intake.files.length, pieceLength, signal)
      const { name, paths } = layOut(intake.files, wantedName)
      const described = result.files.map(({ sha256, type }, n) => {
        const [path, file] = [paths[n], intake.files[n]]
        if (path === undefined || file === undefined) throw new Error('more files hashed than received')
        return { path, size: file.size, sha256, type }
      })
      const { metainfo, infoHash } = describe({ name, size, pieceLength, pieces, files: described })
      return {
        staging,
        name,
        size,
        pieceLength,
        files: described,
        sha256: contentSha256(described),
        infoHash,
        metainfo,
      }
    } finally {
      job.drop()
      await intake.close()
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
    receive: async (files, options): Promise<Ingested> => {
      if (options.name !== undefined) checkName(options.name)
      const staging = await stage()
      try {
        return await receiveInto(staging, files, options)
      } catch (error) {
        await staging.discard()
        throw DiskUnwritableError.of(error, dirname(staging.folder))
      }
    },
  }
}
