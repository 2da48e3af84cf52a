import { describeSwarm } from './swarm-contract.ts'
import { WebTorrentSwarm } from './swarm.ts'

describeSwarm('WebTorrentSwarm', (options) => new WebTorrentSwarm(options))
