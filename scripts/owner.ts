import { eventually, readNode } from './local/node-api.ts'

const patienceMs = 120_000

const [url, ...rest] = process.argv.slice(2)
if (url === undefined || rest.length > 0) {
  console.error('Prints the public key of the network that a seeder belongs to.\n\nUsage: owner.ts SEEDER_URL')
  process.exit(2)
}
const { network } = await eventually(() => readNode(url), AbortSignal.timeout(patienceMs))
console.log(network.owner)
