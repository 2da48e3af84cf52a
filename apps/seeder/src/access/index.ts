export { type Caller, operator, type Viewer } from './caller.ts'
export * from './errors.ts'
export { type Scope, scopeSchema } from './scopes.ts'
export { audienceOf, may, mayChange, type Sight } from './visibility.ts'
