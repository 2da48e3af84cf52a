import fc from 'fast-check'
import type { OpenApi, Operation, Parameter } from './document.ts'
import { bodiesOf, deepMark, deepText, nastyTexts, valuesOf } from './json-values.ts'

/** What is put on the wire. One that is `whole` has to be answered. */
export class WireRequest {
  readonly text: string
  readonly bytes: Buffer
  readonly whole: boolean

  constructor(text: string, bytes: Buffer, whole: boolean) {
    this.text = text
    this.bytes = bytes
    this.whole = whole
  }

  /** For the report of a failure, which shows a batch of them. */
  [fc.toStringMethod](): string {
    return this.text
  }
}

export interface Known {
  token: string
  /** Ids of items that are there. */
  ids: string[]
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'x']

/** Requests to every operation of a document. */
export function requestsOf(document: OpenApi, known: Known): fc.Arbitrary<WireRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, all]) =>
    Object.entries(all).map(([method, operation]) => requestTo(method.toUpperCase(), path, operation, document, known)),
  )
  return fc.oneof(...operations)
}

/** A request that fits its route more or less, as HTTP has it. */
function requestTo(
  method: string,
  path: string,
  operation: Operation,
  document: OpenApi,
  known: Known,
): fc.Arbitrary<WireRequest> {
  const parameters = operation.parameters ?? []
  const parts = {
    method: fc.oneof({ weight: 20, arbitrary: fc.constant(method) }, fc.constantFrom(...methods)),
    path: fc.tuple(...path.split('/').map((part) => pathPart(part, parameters, document, known))),
    query: queryOf(parameters, document),
    headers: headersOf(parameters, document, known),
    body: bodyOf(operation, document),
  }
  return fc.record(parts).map(({ method: verb, path: names, query, headers, body }) => {
    const target = names.join('/') + (query === '' ? '' : `?${query}`)
    const lines = [`${verb} ${target} HTTP/1.1`, 'Host: node', 'Connection: close', ...headers]
    if (body !== undefined) lines.push(`Content-Type: ${body.type}`, `Content-Length: ${body.bytes.length}`)
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
    return new WireRequest(lines[0] ?? '', Buffer.concat([head, body?.bytes ?? Buffer.alloc(0)]), true)
  })
}

function pathPart(part: string, parameters: Parameter[], document: OpenApi, { ids }: Known): fc.Arbitrary<string> {
  const [, name] = /^\{(.+)\}$/.exec(part) ?? []
  if (name === undefined) return fc.constant(part)
  const schema = parameters.find((one) => one.in === 'path' && one.name === name)?.schema ?? {}
  const texts = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...ids) },
    { weight: 2, arbitrary: valuesOf(schema, document) },
    { weight: 2, arbitrary: nastyTexts },
  )
  return fc.oneof(
    { weight: 9, arbitrary: texts.map((value) => encodeURIComponent(textOf(value).toWellFormed())) },
    fc.constantFrom('%ff', '%2e%2e%2f', '..', '%', '%00', '*', ':id', '{id}', '%2f'.repeat(400), '\u00e9'),
  )
}

function queryOf(parameters: Parameter[], document: OpenApi): fc.Arbitrary<string> {
  const named = parameters.filter((one) => one.in === 'query')
  const one = (name: string, value: unknown) =>
    `${encodeURIComponent(name)}=${encodeURIComponent(textOf(value).toWellFormed())}`
  const known = named.map(({ name, required, schema = {} }) => {
    const values = fc.oneof({ weight: 4, arbitrary: valuesOf(schema, document) }, { weight: 1, arbitrary: nastyTexts })
    // fast-check gives nothing once in so many times.
    return fc.option(
      values.map((value) => one(name, value)),
      { freq: required === true ? 20 : 1 },
    )
  })
  const unknown = fc.option(
    fc.tuple(nastyTexts, nastyTexts).map(([name, value]) => one(name.toWellFormed(), value)),
    { freq: 1 },
  )
  return fc.tuple(...known, fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, unknown)).map((all) =>
    all
      .filter((text) => text !== null)
      .join('&')
      .slice(0, 6000),
  )
}

/** Values that a client can put into a header. */
const headerTexts = fc
  .string({ unit: 'binary', maxLength: 80 })
  .map((text) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ''))

function headersOf(parameters: Parameter[], document: OpenApi, { token }: Known): fc.Arbitrary<string[]> {
  const authorization = fc.oneof(
    { weight: 8, arbitrary: fc.constant([`Authorization: Bearer ${token}`]) },
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: headerTexts.map((text) => [`Authorization: ${text}`]) },
  )
  const own = parameters
    .filter((one) => one.in === 'header')
    .map(({ name, schema = {} }) =>
      fc.option(
        fc.oneof(valuesOf(schema, document).map(textOf), headerTexts).map((text) => `${name}: ${latin1(text)}`),
        { freq: 1 },
      ),
    )
  const names = fc.constantFrom(
    'Range',
    'If-Range',
    'If-None-Match',
    'If-Match',
    'If-Modified-Since',
    'If-Unmodified-Since',
    'Accept',
    'Origin',
    'Idempotency-Key',
    'Repr-Digest',
    'Content-Encoding',
    'Content-Range',
    'Tus-Resumable',
    'Upload-Length',
    'Upload-Offset',
    'Upload-Metadata',
    'Upload-Checksum',
    'X-Forwarded-For',
    'X-HTTP-Method-Override',
    'Signature-Input',
    'Signature',
    'Last-Event-ID',
    'Access-Control-Request-Method',
  )
  const values = fc.oneof(
    headerTexts,
    fc.constantFrom(
      'bytes=0-',
      'bytes=5-1',
      'bytes=0-0,2-3,-1',
      `bytes=${'0-1,'.repeat(300)}`,
      '*',
      '1.0.0',
      '0',
      '-1',
    ),
  )
  const extra = fc.array(
    fc.tuple(names, values).map(([name, value]) => `${name}: ${value}`),
    { maxLength: 3 },
  )
  return fc
    .tuple(authorization, fc.tuple(...own), extra)
    .map(([first, second, third]) => [...first, ...second.filter((line) => line !== null), ...third])
}

interface Body {
  type: string
  bytes: Buffer
}

const rawBytes = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes))
const types = fc.constantFrom(
  'application/json',
  'application/octet-stream',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'application/x-www-form-urlencoded',
  'application/offset+octet-stream',
  'text/plain; charset=nonsense',
  '/',
)

function bodyOf(operation: Operation, document: OpenApi): fc.Arbitrary<Body | undefined> {
  const content = Object.entries(operation.requestBody?.content ?? {})
  const strange = fc.record({ type: types, bytes: rawBytes })
  const fitting = content.map(([type, { schema }]) => {
    if (type === 'multipart/form-data') return forms
    if (type !== 'application/json') return rawBytes.map((bytes) => ({ type, bytes }))
    return bodiesOf(schema, document).map((value) => ({ type, bytes: Buffer.from(jsonOf(value)) }))
  })
  const broken = fc.constantFrom(
    '{',
    '[1,',
    '{"a":1}}',
    '\ufeff{}',
    '{"__proto__":{"x":1}}',
    '['.repeat(3000),
    deepText,
  )
  const brokenJson = broken.map((text) => ({ type: 'application/json', bytes: Buffer.from(text) }))
  if (fitting.length === 0) return fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, strange, brokenJson)
  return fc.oneof({ weight: 6, arbitrary: fc.oneof(...fitting) }, strange, brokenJson, fc.constant(undefined))
}

const fieldNames = fc.oneof(
  fc.constantFrom('name', 'replicas', 'access', 'tags', 'expiresAt', 'encrypt', 'readers', 'tracks', 'sha256', 'file'),
  nastyTexts,
)

const formPart = fc
  .record({
    name: fieldNames,
    filename: fc.option(fc.oneof(fc.constantFrom('a.txt', 'b/c.txt'), nastyTexts)),
    type: fc.option(fc.constantFrom('text/plain', 'image/png', 'application/json', '\u00ff')),
    value: fc.oneof(
      nastyTexts,
      rawBytes.map((bytes) => bytes.toString('latin1')),
      fc.constant('private'),
    ),
  })
  .map(({ name, filename, type, value }) => {
    const disposition = `form-data; name="${latin1(name)}"${filename === null ? '' : `; filename="${latin1(filename)}"`}`
    const lines = [`Content-Disposition: ${disposition}`, ...(type === null ? [] : [`Content-Type: ${type}`])]
    return `${lines.join('\r\n')}\r\n\r\n${value}`
  })

/** Forms, of which some have no end. */
const forms: fc.Arbitrary<Body> = fc
  .record({ parts: fc.array(formPart, { maxLength: 6 }), cut: fc.option(fc.nat(200), { freq: 3 }) })
  .map(({ parts, cut }) => {
    const text = `${parts.map((part) => `--fuzz\r\n${part}\r\n`).join('')}--fuzz--\r\n`
    const bytes = Buffer.from(text, 'latin1')
    return { type: 'multipart/form-data; boundary=fuzz', bytes: cut === null ? bytes : bytes.subarray(0, -cut) }
  })

/** Bytes that are HTTP at their beginning at most, sent to every path. */
export function rawRequestsOf(document: OpenApi, { token }: Known): fc.Arbitrary<WireRequest> {
  const paths = Object.keys(document.paths).map((path) => path.replaceAll(/\{[^}]*\}/g, 'x'))
  const line = fc.tuple(fc.constantFrom(...methods), fc.constantFrom(...paths)).map((both) => both.join(' '))
  const chunk = (text: string) => Buffer.from(text, 'latin1')
  const announcements = fc.constantFrom(
    'Content-Length: 5',
    'Content-Length: 5000000',
    'Content-Length: -1',
    'Content-Length: 5\r\nContent-Length: 6',
    'Content-Length: 5\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip',
    'Expect: 100-continue',
    'Upgrade: websocket\r\nConnection: Upgrade',
    'Connection: keep-alive',
  )
  const part = (text: string, ...bytes: Buffer[]) => new WireRequest(text, Buffer.concat(bytes), false)
  const afterHead = fc.tuple(line, announcements, rawBytes).map(([text, announced, bytes]) => {
    const head = `${text} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${announced}\r\n\r\n`
    return part(`${text} ${announced}`, chunk(head), bytes)
  })
  const inHead = fc
    .tuple(line, rawBytes)
    .map(([text, bytes]) => part(text, chunk(`${text} HTTP/1.1\r\nHost: x\r\n`), bytes, chunk('\r\n\r\n')))
  const nothing = rawBytes.map((bytes) => part('bytes', bytes))
  return fc.oneof(afterHead, inHead, nothing)
}

function jsonOf(value: unknown): string {
  return (JSON.stringify(value) ?? '').replaceAll(JSON.stringify(deepMark), deepText)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

function latin1(text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '')
}
