export { KeptLists, type NetworkLists } from './kept-lists.ts'
export { exposeNetwork } from './measures.ts'
export { Network } from './network.ts'
export type { News, Standing } from './port.ts'
