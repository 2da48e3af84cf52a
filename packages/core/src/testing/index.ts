export { heartbeatOf, manifestOf } from './bodies.ts'
export { compatStoreContract } from './compat-store.ts'
export { graphStoreContract } from './graph-store.ts'
export { socketPair } from './socket-pair.ts'
