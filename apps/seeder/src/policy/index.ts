export { readsSettings, repairSettings } from './copying.ts'
export { offerOf, Policy } from './policy.ts'
export type { Objection } from './policy.ts'
export { policySettings } from './settings.ts'
