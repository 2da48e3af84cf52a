import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { EldernodeError, readCommand, SettingsError } from '@eldernode/core'
import { pino } from 'pino'
import { parse } from 'smol-toml'
import { startNode, version } from './compose.ts'
import { type Config, configSchema } from './config.ts'

/** EX_CONFIG of sysexits.h: starting again without a change is in vain. */
const exitConfig = 78

async function run(config: Config): Promise<void> {
  const log = pino({ level: config.log.level })
  const die = (error: unknown) => {
    log.fatal({ err: error }, 'the node failed and ends')
    process.exit(1)
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
  const signal = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  const node = await Promise.race([startNode(config, log), signal.then(() => undefined)])
  await signal
  // A start that is still under way is left as a crash would leave it, which the next start can handle.
  log.info('stopping')
  await node?.stop()
  log.info('stopped')
  // What is left open after an orderly stop must not keep the process.
  process.exit()
}

function readToml(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

try {
  const argv = process.argv.slice(2)
  const start = argv.includes('--version')
    ? ({ kind: 'print', text: `${version}\n` } as const)
    : readCommand(configSchema, {
        name: 'eldernode-seeder',
        summary: 'publishes media over BitTorrent and keeps it alive on several nodes',
        defaultFile: '/etc/eldernode/seeder.toml',
        env: process.env,
        argv,
        readToml,
      })
  if (start.kind === 'print') process.stdout.write(start.text)
  else await run(start.values)
} catch (error) {
  if (error instanceof EldernodeError) process.stderr.write(`${error.message}\n`)
  else console.error(error)
  process.exit(error instanceof SettingsError ? exitConfig : 1)
}
