export * from './addresses.ts'
export * from './errors.ts'
