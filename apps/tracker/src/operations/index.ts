export { type Fellows, Operations } from './operations.ts'
