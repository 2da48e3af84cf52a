export { Announcer } from './announcer.ts'
export type { Progress } from './port.ts'
