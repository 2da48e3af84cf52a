export type { Alarm } from './alarm.ts'
export { RepairTimes } from './repair-times.ts'
