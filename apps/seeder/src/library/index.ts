export type * from './port.ts'
export * from './errors.ts'
export { openLibrary } from './library.ts'
export type { LibraryOptions } from './library.ts'
