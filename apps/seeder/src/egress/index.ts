export * from './egress.ts'
export * from './errors.ts'
