import { replaced } from './before-gun.ts'

console.log = replaced.log
Object.assign(JSON, { parseAsync: replaced.parseAsync, stringifyAsync: replaced.stringifyAsync })
