export { type AgeIdentity, openAgeIdentity } from './age-identity.ts'
