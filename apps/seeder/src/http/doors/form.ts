import { createCipheriv, createDecipheriv, createHash, type Hash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DiskFullError, DiskUnwritableError, InvalidInputError } from '@eldernode/core'
import type { FastifyRequest } from 'fastify'
import { type Allowance, UnauthorizedError } from '../../access/index.ts'
import type { Staging } from '../../library/index.ts'
import { counted } from '../../publishing/index.ts'
import { IdempotencyKeyInUseError, NoFileError } from '../errors.ts'
import { hashed } from '../idempotency/idempotency.ts'
import { Intake } from '../uploads/incoming.ts'
import type { Answer } from '../idempotency/kept-answers.ts'
import { malformed } from '../uploads/upload.ts'
import type { Services } from '../services.ts'

const mostFields = 40
const algorithm = 'aes-256-ctr'

/** A form of one file, whose fields may stand behind it. */
export interface Form {
  fields: Record<string, string>
  file: { name: string; size: number; bytes: () => AsyncIterable<Uint8Array> }
  /** Gives its room in the owner's quota back: to be called right before it is published, which asks for its own. */
  release(): void
  /** Removes the file, and gives back its room. Safe to call twice. */
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
 * lie in staging under a key that is in memory alone. They count in their owner's quota as they arrive.
 * @returns the answer to the same form under the same Idempotency-Key, when it was given one before
 * @throws InvalidInputError, NoFileError, MalformedMultipartError, the errors of Intake, of Quotas and of Once;
 * DiskFullError, DiskUnwritableError, UnauthorizedError
 */
export async function readForm(request: FastifyRequest, services: FormServices): Promise<Form | Answer> {
  const { caller, once } = request
  if (caller === undefined) throw new UnauthorizedError()
  if (once?.isKnown !== true) return await spooled(request, caller.owner, services)
  const print = createHash('sha256')
  const { fields, file } = await readParts(request, services, async (bytes) => {
    for await (const _ of hashed(bytes, print));
  })
  const answer = once.match(printOf(request, fields, file.name, print))
  // It expired while the form arrived.
  if (answer === undefined) throw new IdempotencyKeyInUseError()
  return answer
}

type FormServices = Pick<Services, 'library' | 'limits' | 'quotas'>

async function spooled(request: FastifyRequest, owner: string, services: FormServices): Promise<Form> {
  const room = services.quotas.admit(owner)
  try {
    const staging = await services.library.stage()
    const discard = async () => {
      room.end()
      await staging.discard()
    }
    try {
      const print = createHash('sha256')
      const { fields, file } = await readParts(request, services, (bytes) =>
        spool(request.once === undefined ? bytes : hashed(bytes, print), staging, room),
      )
      request.once?.match(printOf(request, fields, file.name, print))
      return { fields, file: { name: file.name, ...file.taken }, release: () => room.end(), discard }
    } catch (error) {
      await discard()
      throw error
    }
  } catch (error) {
    room.end()
    throw error
  }
}

/** What tells a form from others: not the lines between its parts, which change when it is sent again. */
function printOf({ url }: FastifyRequest, fields: Form['fields'], name: string, bytes: Hash): string {
  return JSON.stringify([url, fields, name, bytes.digest('hex')])
}

async function readParts<T>(
  request: FastifyRequest,
  { limits }: Pick<Services, 'limits'>,
  take: (bytes: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<{ fields: Form['fields']; file: { name: string; taken: T } }> {
  const intake = new Intake(limits, malformed)
  const fields = Object.create(null) as Form['fields']
  let file: { name: string; taken: T } | undefined
  for await (const part of intake.steadily(request.parts())) {
    if (part.type === 'file') {
      if (typeof part.filename !== 'string') throw new InvalidInputError('The file has no filename.')
      file = { name: part.filename, taken: await take(intake.read(part.file)) }
    } else if (part.valueTruncated || typeof part.value !== 'string') {
      throw new InvalidInputError(`The field ${part.fieldname} is longer than 4096 bytes, or no text.`)
    } else fields[part.fieldname] = part.value
  }
  if (file === undefined) throw new NoFileError()
  return { fields, file }
}

async function spool(
  source: AsyncIterable<Uint8Array>,
  staging: Staging,
  room: Allowance,
): Promise<Omit<Form['file'], 'name'>> {
  const [key, start] = [randomBytes(32), randomBytes(16)]
  const path = staging.filePath(0)
  let size = 0
  async function* measured(): AsyncGenerator<Uint8Array> {
    for await (const chunk of counted(source, room)) {
      size += chunk.length
      yield chunk
    }
  }
  try {
    const target = createWriteStream(path, { flags: 'wx', mode: 0o640 })
    await pipeline(Readable.from(measured(), { objectMode: false }), createCipheriv(algorithm, key, start), target)
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
