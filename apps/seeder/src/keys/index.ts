export { type AgeIdentity, openAgeIdentity } from './age-identity.ts'
export { type AdminToken, openAdminToken } from './admin-token.ts'
export { identityOf, type NodeIdentity, openIdentity } from './identity.ts'
export { createVerifier } from './verifier.ts'
