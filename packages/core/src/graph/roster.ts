export { Membership as Roster } from '../membership/index.ts'
export type { Standing } from '../membership/index.ts'
