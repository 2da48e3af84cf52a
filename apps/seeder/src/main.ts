import { once } from 'node:events'
import { EldernodeError, SettingsError } from '@eldernode/core'
import { pino } from 'pino'
import { aliasNotes } from './aliases.ts'
import { type RunningNode, startNode } from './compose.ts'
import type { Config } from './config.ts'
import { Reload } from './reload.ts'
import { SettingsSource } from './settings-source.ts'
import { version } from './version.ts'

/** EX_CONFIG of sysexits.h: starting again without a change is in vain. */
const exitConfig = 78

async function run(config: Config, read: () => Config, notes: readonly string[]): Promise<void> {
  const log = pino({ level: config.log.level })
  for (const note of notes) log.warn(note)
  const die = (error: unknown) => {
    log.fatal({ err: error }, 'the node failed and ends')
    process.exit(1)
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
  const signal = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  const starting = startNode(config, log)
  let reload: Reload | undefined
  const readSettings = (node: RunningNode) => {
    reload ??= new Reload({ running: config, read, change: (changed) => node.change(changed), log })
    reload.run()
  }
  // One that comes during the start is heeded after it.
  process.on('SIGHUP', () => void starting.then(readSettings, () => undefined))
  const node = await Promise.race([starting, signal.then(() => undefined)])
  await signal
  // A start that is still under way is left as a crash would leave it, which the next start can handle.
  log.info('stopping')
  await node?.stop()
  log.info('stopped')
  // What is left open after an orderly stop must not keep the process.
  process.exit()
}

try {
  const argv = process.argv.slice(2)
  const source = new SettingsSource({ argv, env: process.env })
  const start = argv.includes('--version') ? ({ kind: 'print', text: `${version}\n` } as const) : source.read()
  if (start.kind === 'print') process.stdout.write(start.text)
  else await run(start.values, () => source.readAgain(start.values), aliasNotes(start, process.env))
} catch (error) {
  if (error instanceof EldernodeError) process.stderr.write(`${error.message}\n`)
  else console.error(error)
  process.exit(error instanceof SettingsError ? exitConfig : 1)
}
