export * from './membership.ts'
export * from './schema.ts'
