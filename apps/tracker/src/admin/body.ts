import { InvalidInputError } from '@eldernode/core'
import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { BodyError } from './errors.ts'

/** Bytes: 1,000 infohashes fit. */
const largest = 65_536

/** Reads a body of JSON. @throws BodyError, InvalidInputError */
export const readBody = async <T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> => {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    throw new BodyError('unsupported_media_type', 'Send a body of Content-Type application/json.')
  return read(schema, parse(await collect(request)), 'The body')
}

/** What a schema says of a value from outside. @throws InvalidInputError */
export const read = <T>(schema: z.ZodType<T>, value: unknown, what: string): T => {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const where = result.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ')
  throw new InvalidInputError(`${what} is not valid: ${where.slice(0, 500)}`)
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new BodyError('invalid_json', 'The body is not JSON.')
  }
}

const collect = async (request: IncomingMessage): Promise<string> => {
  const tooLarge = () => new BodyError('body_too_large', `The body is larger than ${largest} bytes.`)
  if (Number(request.headers['content-length'] ?? 0) > largest) throw tooLarge()
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > largest) break
      chunks.push(chunk)
    }
  } catch {
    throw new BodyError('upload_aborted', 'The connection ended before the whole body had arrived.')
  }
  if (length > largest) throw tooLarge()
  return Buffer.concat(chunks).toString('utf8')
}
