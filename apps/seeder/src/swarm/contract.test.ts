import { describeSwarm } from './testing/swarm-contract.ts'
import { createSwarm } from './index.ts'

describeSwarm('WebTorrentSwarm', createSwarm)
