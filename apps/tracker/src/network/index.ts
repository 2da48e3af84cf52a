export { Network, type NetworkOptions, type NetworkSettings } from './network.ts'
export type { Changes, Standing } from './port.ts'
