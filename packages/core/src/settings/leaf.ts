import { z } from 'zod'

type JsonSchema = z.core.JSONSchema.BaseSchema

/** One setting of a schema. `key` is its dotted path, `expected` says in words what it takes. */
export interface Leaf {
  key: string
  path: readonly string[]
  env: string
  type: 'string' | 'number' | 'boolean' | 'list'
  /** The type of a list's items. */
  item: 'string' | 'number' | 'boolean'
  default: unknown
  description: string
  expected: string
  /** Set by `.meta({ secret: true })`: the value is never printed. */
  secret: boolean
  /** Set by `.meta({ hot: true })`: a change is applied to a running process. */
  hot: boolean
}

/** Every setting begins with this in the environment. */
export const envPrefix = 'ELDERNODE_'

/** `swarm.maxConns` becomes `ELDERNODE_SWARM_MAX_CONNS`. */
const envName = (key: string): string =>
  envPrefix +
  key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()

/** Every setting of a schema, in the schema's order. An object is a group, everything else is a setting. */
export const leavesOf = (schema: z.ZodObject): Leaf[] =>
  collect(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), [])

const collect = (schema: JsonSchema, path: readonly string[]): Leaf[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    if (typeof child === 'boolean') throw new TypeError(`setting ${[...path, name].join('.')} has no schema`)
    return child.properties ? collect(child, [...path, name]) : [leafOf(child, [...path, name])]
  })

const leafOf = (schema: JsonSchema, path: readonly string[]): Leaf => {
  const key = path.join('.')
  const items = Array.isArray(schema.items) ? undefined : schema.items
  const item = typeof items === 'object' ? items : {}
  return {
    key,
    path,
    env: envName(key),
    type: schema.type === 'array' ? 'list' : scalarOf(schema),
    item: scalarOf(item),
    default: schema.default,
    description: schema.description ?? '',
    expected: schema.type === 'array' ? `a list, each item ${expectedOf(item)}` : expectedOf(schema),
    secret: schema['secret'] === true,
    hot: schema['hot'] === true,
  }
}

const scalarOf = (schema: JsonSchema): 'string' | 'number' | 'boolean' => {
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  return schema.type === 'boolean' ? 'boolean' : 'string'
}

/** `.meta({ expected: 'a host name' })` overrides what is said here. */
const expectedOf = (schema: JsonSchema): string => {
  if (typeof schema['expected'] === 'string') return schema['expected']
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if (schema.type === 'boolean') return 'true or false'
  if (schema.type === 'integer') return `a whole number${rangeOf(schema)}`
  if (schema.type === 'number') return `a number${rangeOf(schema)}`
  if (schema.format === 'uri') return 'a URL'
  return schema.pattern === undefined ? `text${lengthOf(schema)}` : `text that matches ${schema.pattern}`
}

const rangeOf = ({ minimum, exclusiveMinimum, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): string => {
  const bounded = maximum < Number.MAX_SAFE_INTEGER
  if (typeof exclusiveMinimum === 'number') return ` above ${exclusiveMinimum}${bounded ? ` up to ${maximum}` : ''}`
  if (minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER) return bounded ? ` up to ${maximum}` : ''
  return ` from ${minimum}${bounded ? ` to ${maximum}` : ''}`
}

const lengthOf = ({ minLength, maxLength }: JsonSchema): string => {
  if (minLength !== undefined && minLength === maxLength) return ` of ${minLength} characters`
  if (maxLength !== undefined) return ` of ${minLength ?? 0} to ${maxLength} characters`
  return minLength === undefined ? '' : ` of at least ${minLength} characters`
}
