import { join } from 'node:path'
import { build, generate, type Kind, type Running, start } from './trackers.ts'

/** What a tracker did in some seconds. */
export interface Rate {
  perSecond: number
  /** Microseconds of processor time for each message. */
  cpu: number
}

const seconds = Number(process.env['SECONDS'] ?? 8)
/** Of the same load, before anything is counted: code is compiled by then, of whichever tracker. */
const warmUp = 2
export const rounds = Number(process.env['ROUNDS'] ?? 3)

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const say = (what: string, kind: Kind, { perSecond, cpu }: Rate): void =>
  console.log(`${what}: ${kind} ${perSecond.toFixed(0)}/s, ${cpu.toFixed(1)} us of CPU each`)

const measured = async (tracker: Running, work: () => Promise<{ count: number; took: number }>): Promise<Rate> => {
  const before = await tracker.cpu()
  const { count, took } = await work()
  return { perSecond: count / took, cpu: (((await tracker.cpu()) - before) / count) * 1e6 }
}

/**
 * Alternates between trackers, each started afresh.
 *
 * @param after what else is asked of each before it stops
 * @returns medians
 */
const race = async (
  what: string,
  kinds: readonly Kind[],
  folder: string,
  load: (tracker: Running, seconds: number) => Promise<{ count: number; took: number }>,
  after: (tracker: Running) => Promise<void> = async () => {},
): Promise<Record<string, Rate>> => {
  const rates = new Map<Kind, Rate[]>(kinds.map((kind) => [kind, []]))
  for (let round = 0; round < rounds; round++) {
    for (const kind of kinds) {
      const tracker = await start(kind, folder)
      try {
        await load(tracker, warmUp)
        const rate = await measured(tracker, async () => await load(tracker, seconds))
        say(what, kind, rate)
        rates.get(kind)?.push(rate)
        await after(tracker)
      } finally {
        await tracker.stop()
      }
    }
  }
  return Object.fromEntries(
    [...rates].map(([kind, all]) => [
      kind,
      { perSecond: median(all.map((one) => one.perSecond)), cpu: median(all.map((one) => one.cpu)) },
    ]),
  )
}

const ratio = (rates: Record<string, Rate>, reference: Kind): number =>
  Number(((rates['eldernode']?.perSecond ?? 0) / (rates[reference]?.perSecond ?? 0)).toFixed(2))

/** Announces by keep-alive connections of wrk. */
export const httpRatio = async (folder: string): Promise<number> => {
  const script = join(import.meta.dirname, 'announces.lua')
  const rates = await race('http', ['eldernode', 'stock'], folder, async ({ port }, lasting) => {
    const url = `http://127.0.0.1:${port}/`
    const text = await generate('wrk', [
      '-t1',
      '-c64',
      `-d${lasting}s`,
      '-s',
      script,
      url,
      '--',
      join(folder, 'hashes.txt'),
    ])
    if (/Non-2xx|Socket errors/.test(text)) throw new Error(text)
    const [, count, took] = /(\d+) requests in ([\d.]+)s/.exec(text) ?? []
    return { count: Number(count), took: Number(took) }
  })
  return ratio(rates, 'stock')
}

/** Announces with a wish for 30 peers, in 1,000 swarms of 200 peers. */
export const udpRatio = async (folder: string): Promise<number> => {
  const generator = await build('udp', folder)
  const rates = await race('udp', ['eldernode', 'opentracker', 'stock'], folder, async ({ port }, lasting) => {
    const text = await generate(generator, [port, lasting, join(folder, 'hashes.txt'), 200, 30])
    const [count = 0, took = 0, bytes = 0] = text.split(' ').map(Number)
    console.log(`  ${(bytes / count).toFixed(0)} bytes an answer`)
    return { count, took }
  })
  return ratio(rates, 'opentracker')
}

/** 400 sockets, each in 5 of 100 swarms: announces with five offers, an answer to each offer that arrives. */
const crowd = [400, 100, 5]
const recorded = join(import.meta.dirname, 'offer-sdp.json')

/** Messages in and out. And at half of that rate: the 99th percentile in ms from an announce to an answer to its offer. */
export const wsRatio = async (folder: string): Promise<{ ws_ratio: number; offer_answer_p99_ms: number }> => {
  const generator = await build('ws', folder)
  const delays: number[] = []
  let top = 0
  const load = async ({ port }: Running, lasting: number): Promise<{ count: number; took: number }> => {
    const text = await generate(generator, [port, lasting, ...crowd, recorded])
    const [sent = 0, received = 0, answered = 0, took = 0, p50 = 0, p99 = 0] = text.split(' ').map(Number)
    console.log(`  ${sent} in, ${received} out, ${answered} of them answers; answer ${p50} ms, 99th ${p99} ms`)
    // What is sent are announces and answers.
    top = (sent - answered) / took
    return { count: sent + received, took }
  }
  const halfLoad = async ({ kind, port }: Running): Promise<void> => {
    if (kind !== 'eldernode') return
    const half = Math.round(top / 2)
    const text = await generate(generator, [port, seconds, ...crowd, recorded, half])
    const [, , , , p50 = 0, p99 = 0] = text.split(' ').map(Number)
    console.log(`ws at ${half} announces/s: answer ${p50} ms, 99th ${p99} ms`)
    delays.push(p99)
  }
  const rates = await race('ws', ['eldernode', 'stock'], folder, load, halfLoad)
  return { ws_ratio: ratio(rates, 'stock'), offer_answer_p99_ms: Number(median(delays).toFixed(1)) }
}

/** Processor time of an announce that wants 30 peers, in one swarm of 100,000 against one of 100. */
export const hotSwarmRatio = async (folder: string): Promise<number> => {
  const generator = await build('udp', folder)
  const hash = join(folder, 'one-hash.txt')
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const cpu: number[] = []
    for (const peers of [100_000, 100]) {
      const tracker = await start('eldernode', folder)
      try {
        await generate(generator, [tracker.port, 0, hash, peers, 0, 'fill'])
        const rate = await measured(tracker, async () => {
          const text = await generate(generator, [tracker.port, seconds, hash, peers, 30])
          const [count = 0, took = 0] = text.split(' ').map(Number)
          return { count, took }
        })
        say(`swarm of ${peers}`, 'eldernode', rate)
        cpu.push(rate.cpu)
      } finally {
        await tracker.stop()
      }
    }
    ratios.push((cpu[0] ?? 0) / (cpu[1] ?? 0))
  }
  return Number(median(ratios).toFixed(2))
}
