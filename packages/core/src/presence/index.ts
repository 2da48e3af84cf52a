export * from './coarse.ts'
export * from './presence.ts'
export * from './schema.ts'
