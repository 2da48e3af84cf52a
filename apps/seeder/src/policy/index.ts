export { offerOf, Policy } from './policy.ts'
export { policySettings } from './settings.ts'
