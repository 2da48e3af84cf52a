export { type Draft, Encryption } from './encryption.ts'
export * from './errors.ts'
export { register, registrationSchema } from './registration.ts'
