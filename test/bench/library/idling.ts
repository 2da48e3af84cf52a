import { setTimeout as pause } from 'node:timers/promises'
import { type Figures, type Part, round, type Stage, tell } from './figures.ts'
import { daemon } from './node.ts'
import { BenchTrackers } from './trackers.ts'
import { cpuSeconds } from './usage.ts'

const interval = 1800
const sampleMs = 60_000
/** After a start nothing is repaired for a minute; what is looked at then belongs to the start. */
const settleMs = 70_000

export const idling: Part = { name: 'idling', keys: ['idle_cpu_percent'], run }

async function run({ items, library }: Stage): Promise<Figures> {
  const folder = await library()
  const trackers = await BenchTrackers.open(interval)
  const node = daemon(folder, [trackers.http, trackers.webSocket])
  try {
    await node.start()
    await node.ready(60_000)
    await pause(settleMs)
    const [before, announced, began] = [cpuSeconds(node.pid), trackers.announcedByHttp, performance.now()]
    await pause(sampleMs)
    const seconds = (performance.now() - began) / 1000
    const figure = round(((cpuSeconds(node.pid) - before) / seconds) * 100, 2)
    const perSecond = (trackers.announcedByHttp - announced) / seconds
    tell(
      `processor of ${items} idle items, 30 min interval`,
      `${figure} %`,
      `(${perSecond.toFixed(0)} announces/s to each of two trackers; of one core, over ${seconds.toFixed(0)} s)`,
    )
    return { idle_cpu_percent: figure }
  } finally {
    await node.stop()
    await trackers.close()
  }
}
