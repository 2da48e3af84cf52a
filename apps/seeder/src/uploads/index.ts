export type * from './port.ts'
export * from './errors.ts'
export { Uploads, type UploadsOptions } from './uploads.ts'
