export { KeyTable } from './key-table.ts'
export { Announce, happened, kinds } from './announce.ts'
export { Answer, mostPeers, type Counts } from './answer.ts'
export { Swarms } from './swarms.ts'
