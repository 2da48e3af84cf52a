export { createServer } from './server.ts'
export type { Check } from './services.ts'
