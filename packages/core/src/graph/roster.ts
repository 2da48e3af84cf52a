export { Membership as Roster } from '../membership/index.ts'
export type { MemberStanding as Standing } from '../membership/index.ts'
