export { KeptLists, type NetworkLists } from './kept-lists.ts'
export { Network } from './network.ts'
export type { News, Standing } from './port.ts'
