export type * from './port.ts'
export * from './errors.ts'
export { WebTorrentSwarm } from './swarm.ts'
export type { SwarmOptions } from './swarm.ts'
