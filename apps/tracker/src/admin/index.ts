export { AdminDoor } from './admin-door.ts'
export { Rates } from './rates.ts'
export { type LedgerStats, largestTold, type NetworkStats, type Stats, sumStats, type WorkerStats } from './stats.ts'
