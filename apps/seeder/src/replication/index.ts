export type * from './health/port.ts'
export { Nearness } from './members/nearness.ts'
export type * from './port.ts'
export { GraphReplication } from './replication.ts'
