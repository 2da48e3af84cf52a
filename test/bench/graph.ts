import { GraphNetwork } from '../harness/graph-network.ts'
import { until } from '../harness/until.ts'

/**
 * 50,000 signed manifests published at node A reach node C through one relay R: three processes, each with a SQLite
 * store. The clock runs from the first publication until C has stored the last one.
 */
const total = Number(process.argv[2] ?? 50_000)
const parallel = 256
const patience = 120_000

const network = await GraphNetwork.start()
try {
  const relay = network.owner
  const [a, c] = [await network.join(), await network.join()]
  await GraphNetwork.inStep(a, c)
  await Promise.all([a.state(), relay.state(), c.state()])

  const started = Date.now()
  const published = await a.ask({ do: 'publish', from: 0, count: total, salt: 'bench', parallel })
  await until(async () => (await c.state()).manifests >= total, {
    within: patience,
    what: 'all manifests have arrived at C',
    every: 100,
  }).catch((error: unknown) => process.stdout.write(`${String(error)}\n`))
  const states = await Promise.all([a.state(), relay.state(), c.state()])
  const [, , last] = states
  const seconds = (last.lastSeen - started) / 1000
  const lost = total - last.manifests
  const perSecond = Math.round(last.manifests / seconds)

  const row = (cells: (string | number)[]): string => cells.map((cell) => String(cell).padStart(12)).join('')
  const lines = [
    row(['', 'manifests', 'CPU s', 'RSS MiB', 'blocked ms', 'refused']),
    ...states.map(({ manifests, cpu, rss, blocked, stats }, i) =>
      row([
        ['A', 'relay', 'C'][i] ?? '',
        manifests,
        cpu.toFixed(1),
        Math.round(rss / 2 ** 20),
        blocked,
        JSON.stringify(stats.refused),
      ]),
    ),
    `published in ${(published / 1000).toFixed(1)} s, all at C after ${seconds.toFixed(1)} s: ${perSecond} per second, ${lost} lost`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  process.stdout.write(`${JSON.stringify({ bench: 'graph', figures: { per_s: perSecond, lost } })}\n`)
  if (lost > 0) process.exitCode = 1
} finally {
  await network.stop()
}
