export { candidate } from './candidate.ts'
export type { Candidate, Standing } from './candidate.ts'
export { itemHalves, repairer, score, wantedHolders } from './placement.ts'
export type { Known, Wish } from './placement.ts'
