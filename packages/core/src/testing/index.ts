export { heartbeatOf, manifestOf } from './bodies.ts'
export { graphStoreContract } from './graph-store.ts'
export { socketPair } from './socket-pair.ts'
