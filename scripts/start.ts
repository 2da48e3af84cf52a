import { join, resolve } from 'node:path'
import { LocalNetwork } from './local/local-network.ts'
import { parseOptions, usage } from './local/options.ts'

const top = resolve(import.meta.dirname, '..')

const run = async (argv: readonly string[]): Promise<number> => {
  const options = parseOptions(argv)
  if (options === 'help') {
    console.log(usage)
    return 0
  }
  const network = new LocalNetwork(
    { tracker: join(top, 'apps/tracker/dist/main.js'), seeder: join(top, 'apps/seeder/dist/main.js') },
    { ...options, data: resolve(options.data) },
    (line) => console.log(line),
  )
  const asked = new Promise<undefined>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => done(undefined))
  })
  try {
    const failure = await Promise.race([asked, network.failed, network.start().then(() => network.failed)])
    if (failure) throw failure
    console.log('stopping')
    return 0
  } finally {
    await network.stop()
  }
}

try {
  process.exit(await run(process.argv.slice(2)))
} catch (error) {
  console.error(`start: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}
