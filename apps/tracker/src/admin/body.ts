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
  const result = schema.safeParse(value, { error: phraseOf })
  if (result.success) return result.data
  const where = result.error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ')
  throw new InvalidInputError(`${what} is not valid: ${where.slice(0, 500)}`)
}

const units: Readonly<Record<string, string>> = { string: ' characters', array: ' items' }
const types: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  array: 'a list',
  object: 'an object',
}

/** What a schema without words of its own says; undefined for what none of ours meets. */
const phraseOf = (issue: z.core.$ZodRawIssue): string | undefined => {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'is missing'
    return `expected ${(issue['format'] === 'safeint' ? types['int'] : types[issue.expected]) ?? issue.expected}`
  }
  if (issue.code === 'too_small') {
    const unit = units[issue.origin]
    return unit !== undefined && issue.minimum === 1 ? 'is empty' : `expected at least ${issue.minimum}${unit ?? ''}`
  }
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}${units[issue.origin] ?? ''}`
  if (issue.code !== 'unrecognized_keys') return undefined
  return `there is no ${issue.keys.map((key) => JSON.stringify(key)).join(', ')} here`
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
