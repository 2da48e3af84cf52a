export { Operations } from './operations.ts'
