import { describeSwarm } from './swarm-contract.ts'
import { createSwarm } from './index.ts'

describeSwarm('WebTorrentSwarm', createSwarm)
