export * from './envelope.ts'
export * from './errors.ts'
export * from './schema.ts'
export * from './timestamp.ts'
