export { type Caller, operator, type Viewer } from './caller.ts'
export * from './errors.ts'
export { type Scope, scopeSchema } from './scopes.ts'
export { may, mayChange, type Rights, type Sight } from './visibility.ts'
