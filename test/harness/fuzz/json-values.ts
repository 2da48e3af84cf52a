import fc from 'fast-check'
import type { JsonSchema, OpenApi } from './document.ts'

/** URLs that lead nowhere but to this machine, or nowhere at all. */
const urls = fc.constantFrom(
  'http://127.0.0.1:1/',
  'http://localhost:1/x',
  'http://[::1]:1/',
  'http://169.254.169.254/latest/',
  'http://0x7f.1:1/',
  'https://127.0.0.1:1/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'http://',
  'ws://127.0.0.1:1/gun',
  '//127.0.0.1:1/',
)

/** Stands for a value that is nested too deeply to be written by `JSON.stringify`. */
export const deepMark = '@deep@'
export const deepText = '['.repeat(20_000) + ']'.repeat(20_000)

/** Texts that have broken something somewhere. */
export const nastyTexts = fc.oneof(
  fc.constantFrom(
    '',
    '\0',
    '../../../../etc/passwd',
    '..\\..\\windows',
    '/etc/passwd',
    '__proto__',
    'constructor',
    '%00',
    '%',
    "' OR 1=1 --",
    'CON',
    '\u202etxt.exe',
    '\ud800',
    '😀'.repeat(50),
    'a'.repeat(5000),
    '-1',
    '1e309',
    'NaN',
    'true',
    '[]',
    '{}',
    'null',
    '9007199254740993',
    deepMark,
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
)

/** Values that fit a schema, more or less. */
export function valuesOf(schema: JsonSchema, document: OpenApi, depth = 0): fc.Arbitrary<unknown> {
  if (depth > 6) return fc.constant(null)
  const inner = (one: JsonSchema) => valuesOf(one, document, depth + 1)
  if (schema.$ref !== undefined) {
    const target = document.components.schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]
    return target === undefined ? fc.jsonValue() : inner(target)
  }
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const either = schema.anyOf ?? schema.oneOf
  if (either !== undefined && either.length > 0) return fc.oneof(...either.map(inner))
  if (schema.properties !== undefined) return objectsOf(schema, inner)
  switch (schema.type ?? 'any') {
    case 'string':
      return textsOf(schema)
    case 'integer':
    case 'number':
      return numbersOf(schema)
    case 'boolean':
      return fc.boolean()
    case 'array':
      return fc.array(schema.items ? inner(schema.items) : fc.jsonValue(), { maxLength: 5 })
    default:
      return fc.jsonValue({ maxDepth: 2 })
  }
}

function objectsOf(
  { properties = {}, required = [] }: JsonSchema,
  inner: (schema: JsonSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inner(one)]))
  return fc.record(fields, { requiredKeys: required.filter((name) => name in fields) })
}

function textsOf({ pattern, format, maxLength }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'uri') return urls
  if (format === 'binary') return fc.string()
  if (pattern !== undefined) {
    try {
      return fc.stringMatching(new RegExp(pattern))
    } catch {
      // fast-check knows no look-arounds.
      return nastyTexts
    }
  }
  return fc.oneof(fc.string({ maxLength: Math.min(maxLength ?? 40, 40) }), urls, nastyTexts)
}

function numbersOf({ minimum = -10, maximum = 1_000_000 }: JsonSchema): fc.Arbitrary<number> {
  const [min, max] = [Math.max(minimum, -1_000_000), Math.min(maximum, 2 ** 53)]
  return fc.oneof(fc.integer({ min: Math.min(min, max), max: Math.min(max, 2 ** 31 - 1) }), fc.constant(max))
}

/** What fits, what fits but for a field, and what does not fit at all. */
export function bodiesOf(schema: JsonSchema, document: OpenApi): fc.Arbitrary<unknown> {
  const fitting = valuesOf(schema, document)
  const anything = fc.oneof(nastyTexts, fc.jsonValue({ maxDepth: 3 }), fc.integer(), fc.constant(null))
  const spoilt = fc
    .tuple(fitting, fc.oneof(fc.constantFrom(...Object.keys(schema.properties ?? { x: 1 })), nastyTexts), anything)
    .map(([value, name, wrong]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? { ...value, ...Object.fromEntries([[name, wrong]]) }
        : wrong,
    )
  return fc.oneof(fitting, spoilt, anything)
}
