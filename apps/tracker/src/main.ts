import { EldernodeError, readCommand } from '@eldernode/core'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { pino } from 'pino'
import { parse } from 'smol-toml'
import { WorkerFailedError } from './cluster/index.ts'
import { composeFirst } from './compose-first.ts'
import { compose } from './compose.ts'
import { trackerSchema, type TrackerSettings } from './config.ts'
import { takeOwnFiles } from './own-files.ts'
import { Reload } from './reload.ts'

/** EX_CONFIG of sysexits.h: starting again without a change is in vain. */
const exitConfig = 78

const run = async (settings: TrackerSettings, read: () => TrackerSettings): Promise<void> => {
  const log = pino({ level: settings.log.level })
  const release = takeOwnFiles(settings, log)
  const isAlone = settings.cluster.workers === 1
  const tracker = isAlone ? compose(settings, log, () => performance.now()) : composeFirst(settings, log)
  const stop = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  const starting = tracker.start()
  const reload = new Reload({ running: settings, read, change: (changed) => tracker.change(changed), log })
  // One that comes during the start is heeded after it.
  process.on(
    'SIGHUP',
    () =>
      void starting.then(
        () => reload.run(),
        () => undefined,
      ),
  )
  const port = await starting
  const host = isIP(settings.host) === 6 ? `[${settings.host}]` : settings.host
  for (const url of [`http://${host}:${port}/announce`, `ws://${host}:${port}`, `udp://${host}:${port}`]) {
    log.info({ url }, 'listening')
  }
  await stop
  log.info('stopping')
  await tracker.stop()
  release()
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

const readSettings = () =>
  readCommand(trackerSchema, {
    name: 'eldernode-tracker',
    summary: 'a BitTorrent tracker on HTTP, WebSocket and UDP',
    defaultFile: '/etc/eldernode/tracker.toml',
    env: process.env,
    argv: process.argv.slice(2),
    readToml,
  })

/** With the flags of this process, which never ask to print when it runs. */
const readAgain = (): TrackerSettings => {
  const start = readSettings()
  if (start.kind === 'print') throw new TypeError('a running tracker has nothing to print')
  return start.values
}

/** What another start may mend, by code: a port or a file that another process has yet, a worker that died. */
const passing = new Set(['cannot_listen', 'held', 'worker_failed'])

/** What one of several processes cannot do is as bad as when a single one cannot. */
const codeOf = (error: EldernodeError): string =>
  error instanceof WorkerFailedError ? (error.reasonCode ?? error.code) : error.code

try {
  const start = readSettings()
  if (start.kind === 'print') process.stdout.write(start.text)
  else await run(start.values, readAgain)
} catch (error) {
  // What is thrown on purpose is written for the operator.
  const isForOperator = error instanceof EldernodeError
  if (isForOperator) process.stderr.write(`${error.message}\n`)
  else console.error(error)
  process.exitCode = isForOperator && !passing.has(codeOf(error)) ? exitConfig : 1
}
