import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DiskFullError, DiskUnwritableError, InvalidInputError } from '@eldernode/core'
import type { FastifyRequest } from 'fastify'
import type { Staging } from '../../library/index.ts'
import { NoFileError } from '../errors.ts'
import { Intake } from '../incoming.ts'
import { malformed } from '../upload.ts'
import type { Services } from '../services.ts'

const mostFields = 40
const algorithm = 'aes-256-ctr'

/** A form of one file, whose fields may stand behind it. */
export interface Form {
  fields: Record<string, string>
  file: { name: string; size: number; bytes: () => AsyncIterable<Uint8Array> }
  /** Removes the file. Safe to call twice. */
  discard(): Promise<void>
}

/** Limits of the form parser for these forms. */
export const formLimits = {
  files: 1,
  fields: mostFields,
  parts: mostFields + 1,
  fieldNameSize: 100,
  fieldSize: 4096,
  fileSize: Number.MAX_SAFE_INTEGER,
  headerPairs: 32,
}

/**
 * Reads a form whole. Whether its file is to be encrypted may be said behind it, so until the end of the form the bytes
 * lie in staging under a key that is in memory alone.
 * @throws InvalidInputError, NoFileError, MalformedMultipartError, the errors of Intake, DiskFullError, DiskUnwritableError
 */
export async function readForm(
  request: FastifyRequest,
  { library, limits }: Pick<Services, 'library' | 'limits'>,
): Promise<Form> {
  const intake = new Intake(limits, malformed)
  const staging = await library.stage()
  const discard = () => staging.discard()
  try {
    const fields = Object.create(null) as Record<string, string>
    let file: Form['file'] | undefined
    for await (const part of intake.steadily(request.parts())) {
      if (part.type === 'file') {
        if (typeof part.filename !== 'string') throw new InvalidInputError('The file has no filename.')
        file = { name: part.filename, ...(await spool(intake.read(part.file), staging)) }
      } else if (part.valueTruncated || typeof part.value !== 'string') {
        throw new InvalidInputError(`The field ${part.fieldname} is longer than 4096 bytes, or no text.`)
      } else fields[part.fieldname] = part.value
    }
    if (file === undefined) throw new NoFileError()
    return { fields, file, discard }
  } catch (error) {
    await discard()
    throw error
  }
}

async function spool(source: AsyncIterable<Uint8Array>, staging: Staging): Promise<Omit<Form['file'], 'name'>> {
  const [key, start] = [randomBytes(32), randomBytes(16)]
  const path = staging.filePath(0)
  let size = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      size += chunk.length
      yield chunk
    }
  }
  try {
    const target = createWriteStream(path, { flags: 'wx', mode: 0o640 })
    await pipeline(Readable.from(counted(), { objectMode: false }), createCipheriv(algorithm, key, start), target)
  } catch (error) {
    throw DiskFullError.of(DiskUnwritableError.of(error, staging.folder), staging.folder)
  }
  return {
    size,
    bytes: async function* () {
      const plain = createDecipheriv(algorithm, key, start)
      for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) yield plain.update(chunk)
    },
  }
}
