import { parseArgs } from 'node:util'

export interface StartOptions {
  nodes: number
  data: string
  port: number
  trackerPort: number
}

export const usage = `Runs a tracker and one or more seeders of one network on this machine, until Ctrl-C.

Usage: scripts/start [--nodes N] [--data DIR] [--port P] [--tracker-port P]

  --nodes N          how many seeders to run (default 1)
  --data DIR         where they keep everything: seeder i in DIR/node-i, the tracker in DIR/tracker, what they log
                     in DIR/logs (default ./data)
  --port P           HTTP port of the first seeder; seeder i has P+i-1, and P+999+i for BitTorrent (default 8765)
  --tracker-port P   port of the tracker, both TCP and UDP (default 8000)

The admin token of a seeder is printed when it is made, on its very first start; it stays in DIR/node-i/admin.token.`

/** BitTorrent ports lie this far above the HTTP ports. */
const swarmOffset = 1000

export const httpPort = ({ port }: StartOptions, node: number): number => port + node - 1
export const swarmPort = (options: StartOptions, node: number): number => httpPort(options, node) + swarmOffset

/** Throws an `Error` that names the wrong option. */
export const parseOptions = (argv: readonly string[]): StartOptions | 'help' => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      nodes: { type: 'string', default: '1' },
      data: { type: 'string', default: './data' },
      port: { type: 'string', default: '8765' },
      'tracker-port': { type: 'string', default: '8000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const nodes = whole('--nodes', values.nodes, 64)
  return {
    nodes,
    data: values.data,
    port: whole('--port', values.port, 65_536 - nodes - swarmOffset),
    trackerPort: whole('--tracker-port', values['tracker-port'], 65_535),
  }
}

const whole = (name: string, text: string, most: number): number => {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > most) throw new Error(`${name} must be a whole number from 1 to ${most}, not ${text}`)
  return value
}
