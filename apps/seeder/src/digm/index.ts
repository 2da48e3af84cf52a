export { Digm } from './digm.ts'
