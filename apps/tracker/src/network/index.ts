export { KeptLists } from './kept-lists.ts'
export { exposeNetwork } from './measures.ts'
export { Network } from './network.ts'
export type { News } from './port.ts'
