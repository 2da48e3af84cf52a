export { readsSettings, repairSettings } from './copying.ts'
export { offerOf, Policy, type Objection, type Offer } from './policy.ts'
export { policySettings } from './settings.ts'
