export { Announcer } from './announcer.ts'
export type { AnnouncerOptions } from './announcer.ts'
export type { Progress } from './port.ts'
