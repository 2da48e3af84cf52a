// Writes a tracker's file of peers with so many of them, over the one that is there: PATH COUNT.
import { savePeers } from './snapshots.ts'

const [path = '', count = ''] = process.argv.slice(2)
savePeers(path, Number(count))
