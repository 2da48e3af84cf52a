export * from './egress.ts'
export * from './errors.ts'
export { EgressProxy } from './proxy.ts'
