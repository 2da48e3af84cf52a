export { createApp } from './app.ts'
export { drain } from './connections.ts'
export { manifestOf } from './manifest.ts'
export type { Check, Services } from './services.ts'
