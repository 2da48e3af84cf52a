import { readCommand, SettingsError } from '@eldernode/core'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { pino } from 'pino'
import { parse } from 'smol-toml'
import { compose } from './compose.ts'
import { trackerSchema, type TrackerSettings } from './config.ts'
import { ListenError } from './transport/index.ts'

/** EX_CONFIG of sysexits.h: starting again without a change is in vain. */
const exitConfig = 78

const run = async (settings: TrackerSettings): Promise<void> => {
  const log = pino({ level: settings.log.level })
  const tracker = compose(settings, log, () => performance.now())
  const stop = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  const port = await tracker.start()
  const host = isIP(settings.host) === 6 ? `[${settings.host}]` : settings.host
  for (const url of [`http://${host}:${port}/announce`, `ws://${host}:${port}`, `udp://${host}:${port}`]) {
    log.info({ url }, 'listening')
  }
  await stop
  log.info('stopping')
  await tracker.stop()
  log.info('stopped')
}

const readToml = (path: string): unknown => {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

try {
  const start = readCommand(trackerSchema, {
    name: 'eldernode-tracker',
    summary: 'a BitTorrent tracker on HTTP, WebSocket and UDP',
    defaultFile: '/etc/eldernode/tracker.toml',
    env: process.env,
    argv: process.argv.slice(2),
    readToml,
  })
  if (start.kind === 'print') process.stdout.write(start.text)
  else await run(start.values)
} catch (error) {
  if (error instanceof SettingsError || error instanceof ListenError) process.stderr.write(`${error.message}\n`)
  else console.error(error)
  process.exitCode = error instanceof SettingsError ? exitConfig : 1
}
