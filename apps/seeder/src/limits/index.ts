export { Limits, limitsOf } from './limits.ts'
