export type * from './port.ts'
export * from './errors.ts'
export { Uploads } from './uploads.ts'
