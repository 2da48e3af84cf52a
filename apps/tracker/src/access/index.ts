export { Access } from './access.ts'
export { GuardedSwarms } from './guarded-swarms.ts'
export { InfoHashSet } from './info-hash-set.ts'
export { type Entrance, type Gate, noKey, wrongKey } from './port.ts'
