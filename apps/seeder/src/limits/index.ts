export { Limits, limitsOf, type LimitSettings, type LimitsOptions } from './limits.ts'
