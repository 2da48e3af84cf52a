import { readFileSync } from 'node:fs'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { UsageError } from './errors.ts'

export const help = `eldernode: asks a running seeder over its HTTP API

  eldernode token create --owner <name> --scope <scope> [--scope <scope> ...]
                         [--label <text>] [--expires <30d | 12h | ISO 8601>] [--reader <age1...>]
  eldernode token list [--json]
  eldernode token revoke <id>
  eldernode replication [--level <level>] [--json]
                         how the network's items stand, and the items of one level
  eldernode repair <id>  have one item looked at now
  eldernode drain [--wait]
                         have the other nodes copy all that this one holds, before it leaves
  eldernode drain status [--json]
  eldernode drain stop

Levels: lost below-min below-target at-target surplus
Scopes: media:write media:read-private media:delete node:admin members:admin graph:write events:read

  --url <url>          the node, without it ELDERNODE_URL or http://127.0.0.1:8765
  --token-file <path>  a file with a token that may do this, without it the token in ELDERNODE_TOKEN,
                       or the file ./data/admin.token

The new token is printed alone on standard output. It cannot be shown again.
`

const options = {
  help: { type: 'boolean', short: 'h' },
  url: { type: 'string' },
  'token-file': { type: 'string' },
  owner: { type: 'string' },
  scope: { type: 'string', multiple: true },
  label: { type: 'string' },
  expires: { type: 'string' },
  reader: { type: 'string' },
  json: { type: 'boolean' },
  level: { type: 'string' },
  wait: { type: 'boolean' },
} satisfies ParseArgsConfig['options']

export type Command =
  | { kind: 'help' }
  | { kind: 'create'; node: NodeAccess; body: Record<string, unknown> }
  | { kind: 'list'; node: NodeAccess; json: boolean }
  | { kind: 'revoke'; node: NodeAccess; id: string }
  | { kind: 'replication'; node: NodeAccess; json: boolean; level: string | undefined }
  | { kind: 'repair'; node: NodeAccess; id: string }
  | { kind: 'drain'; node: NodeAccess; action: DrainAction; json: boolean }

/** `wait`: begin, and end once nothing is left. */
export type DrainAction = 'start' | 'wait' | 'status' | 'stop'

/** Where the node is, and the token that it is asked with. */
export interface NodeAccess {
  url: string
  token: string
}

type Env = Readonly<Record<string, string | undefined>>

/** What to do, by the arguments of the process. @throws UsageError */
export function readCommand(argv: readonly string[], env: Env, now: number): Command {
  const { values, positionals } = parsed(argv)
  if (values.help === true) return { kind: 'help' }
  const [noun, verb, ...rest] = positionals
  if (noun === undefined) throw new UsageError('No command was given.')
  const command = commands[noun]
  if (command === undefined) throw new UsageError(`There is no command "${noun}".`)
  return command({ rest: verb === undefined ? [] : [verb, ...rest], values, env, now })
}

interface Typed {
  /** What stands behind the first word. */
  rest: readonly string[]
  values: Values
  env: Env
  now: number
}

const commands: Readonly<Record<string, (typed: Typed) => Command>> = {
  token: readToken,
  drain: readDrain,
  replication: ({ rest, values, env }) => {
    nothingMore(rest)
    return { kind: 'replication', node: access(values, env), json: values.json === true, level: values.level }
  },
  repair: ({ rest: [id, ...more], values, env }) => {
    if (id === undefined) throw new UsageError('Say which item: eldernode repair <infohash or SHA-256>.')
    nothingMore(more)
    return { kind: 'repair', node: access(values, env), id }
  },
}

function readDrain({ rest: [verb = 'start', ...more], values, env }: Typed): Command {
  nothingMore(more)
  if (verb !== 'start' && verb !== 'status' && verb !== 'stop')
    throw new UsageError(`There is no command "drain ${verb}".`)
  const action = verb === 'start' && values.wait === true ? 'wait' : verb
  return { kind: 'drain', node: access(values, env), action, json: values.json === true }
}

function readToken({ rest: [verb, ...rest], values, env, now }: Typed): Command {
  if (verb !== 'create' && verb !== 'list' && verb !== 'revoke')
    throw new UsageError(`There is no command "${['token', verb].filter((word) => word !== undefined).join(' ')}".`)
  const [id, ...more] = verb === 'revoke' ? rest : ['', ...rest]
  nothingMore(more)
  if (verb === 'list') return { kind: 'list', node: access(values, env), json: values.json === true }
  if (verb === 'revoke') {
    if (id === undefined) throw new UsageError('Say which token: eldernode token revoke <id>.')
    return { kind: 'revoke', node: access(values, env), id }
  }
  const { owner, scope, label, expires, reader } = values
  if (owner === undefined) throw new UsageError('Say whose token it is: --owner <name>.')
  if (scope === undefined) throw new UsageError('Say what it may do: --scope <scope>.')
  const body = {
    owner,
    scopes: scope.flatMap((text) => text.split(',')),
    ...(label !== undefined && { label }),
    ...(reader !== undefined && { reader }),
    ...(expires !== undefined && { expiresAt: timeOf(expires, now) }),
  }
  return { kind: 'create', node: access(values, env), body }
}

function nothingMore(words: readonly string[]): void {
  if (words.length > 0) throw new UsageError(`"${words.join(' ')}" is one too many.`)
}

type Values = ReturnType<typeof parsed>['values']

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** A token never comes as an argument: other users of the machine see those. */
function access(values: Values, env: Env): NodeAccess {
  const url = values.url ?? env['ELDERNODE_URL'] ?? 'http://127.0.0.1:8765'
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new UsageError(`"${url}" is no http or https URL.`)
  const path = values['token-file']
  const token = path === undefined ? (env['ELDERNODE_TOKEN'] ?? read('data/admin.token')) : read(path)
  if (!/^[\w-]+$/.test(token.trim())) throw new UsageError(`${path ?? 'ELDERNODE_TOKEN'} holds no token.`)
  return { url, token: token.trim() }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`No token to ask with (${reason}): give --token-file or ELDERNODE_TOKEN.`)
  }
}

/** Milliseconds since 1970. @throws UsageError */
function timeOf(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})([hd])$/.exec(text) ?? []
  if (count !== undefined) return now + Number(count) * (unit === 'd' ? 86_400_000 : 3_600_000)
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(time)) throw new UsageError(`"${text}" is no time: write 30d, 12h or 2030-01-31T00:00:00Z.`)
  return time
}
