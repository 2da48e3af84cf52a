export type * from './port.ts'
export { GraphReplication } from './replication.ts'
