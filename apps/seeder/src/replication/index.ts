export type * from './port.ts'
export { GraphReplication } from './replication.ts'
export type { ReplicationOptions } from './options.ts'
