export type { Alarm } from './alarm.ts'
export { Alarms } from './alarms.ts'
export { RepairTimes } from './repair-times.ts'
export { replicationAlarms } from './replication-alarms.ts'
