export * from './manifest.ts'
export * from './publish.ts'
