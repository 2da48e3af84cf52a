export * from './egress.ts'
export { EgressProxy } from './proxy.ts'
