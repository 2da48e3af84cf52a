export { LockedError } from './errors.ts'
export { takeLock } from './lock.ts'
