import { isBuiltin } from 'node:module'
import { posix, relative, sep } from 'node:path'
import { onlyIn, packages, rooms, type Room } from './rooms.ts'

const isBelow = (file: string, folder: string): boolean => file === folder || file.startsWith(`${folder}/`)
const isTest = (file: string): boolean => file.endsWith('.test.ts') || file.includes('/testing/')

function roomOf(file: string): Room | undefined {
  return rooms.filter((room) => isBelow(file, room.path)).sort((a, b) => b.path.length - a.path.length)[0]
}

const hasRooms = (home: string | undefined): boolean =>
  home !== undefined && rooms.some((room) => isBelow(room.path, home))

function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function packageFault(file: string, specifier: string): string | undefined {
  const name = packageName(specifier)
  const home = Object.keys(packages).find((path) => isBelow(file, path))
  if (home !== undefined && name.startsWith('@eldernode/') && !packages[home]!.includes(name))
    return `${home} may not import ${name}`
  if (isTest(file)) return undefined
  if (isBelow(file, 'packages/core') && isBuiltin(specifier)) return `core runs in browsers: no ${name}`
  const allowed = onlyIn[name]
  if (home !== undefined && allowed !== undefined && !allowed.some((folder) => isBelow(file, folder)))
    return `${name} is imported in ${allowed.join(', ')} only`
  return undefined
}

function relativeFault(file: string, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(file), specifier)
  const home = Object.keys(packages).find((path) => isBelow(file, path))
  if (home !== undefined && !isBelow(target, home)) return `${home} may not reach into ${target}`
  const from = roomOf(file)
  const to = roomOf(target)
  if (isTest(file)) return undefined
  // What nobody thought of is not thereby allowed.
  if (from === undefined)
    return hasRooms(home) ? `${file} has no room: give it one in scripts/lint/rooms.ts` : undefined
  if (from === to || from.knows === undefined) return undefined
  if (to === undefined || !from.knows.includes(to.path)) return `${from.path} may not know ${to?.path ?? target}`
  if (target !== to.path && target !== `${to.path}/index.ts`)
    return `${to.path} shows others its index.ts and nothing else`
  return undefined
}

/** Why `file` (a path below the top, with `/`) may not import `specifier`, or undefined when it may. */
export function fault(file: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? relativeFault(file, specifier) : packageFault(file, specifier)
}

interface Literal {
  type: string
  value?: unknown
}
interface ImportNode {
  source: Literal | null
}
interface Context {
  filename: string
  cwd: string
  report(problem: { node: unknown; message: string }): void
}

const rule = {
  create(context: Context) {
    const file = relative(context.cwd, context.filename).split(sep).join('/')
    const check = (node: ImportNode): void => {
      const specifier = node.source?.value
      if (typeof specifier !== 'string') return
      const message = fault(file, specifier)
      if (message !== undefined) context.report({ node, message })
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    }
  },
}

/** An oxlint plugin with one rule: the rule of knowing, as `rooms.ts` states it. */
export default { meta: { name: 'house' }, rules: { boundaries: rule } }
