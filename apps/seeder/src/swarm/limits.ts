import type { SwarmLimits } from './port.ts'

export const defaultLimits: SwarmLimits = {
  uploadLimit: 0,
  downloadLimit: 0,
  itemUploadLimit: 0,
  itemDownloadLimit: 0,
  maxConns: 1000,
  maxConnsPerItem: 55,
  maxOpenFiles: 256,
  maxActive: 500,
  idleAfter: 120_000,
  maxChannels: 400,
  maxNegotiating: 100,
}
