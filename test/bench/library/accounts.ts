import { readdirSync, readFileSync } from 'node:fs'
import { cpuSeconds } from './usage.ts'

/** What processes and the network have used: so far, or in between. */
export interface Accounts {
  /** Seconds of processor time by what a process is for. */
  cpu: Map<string, number>
  /** Times that any of the processes' threads gave a core up or lost it. */
  switches: number
  /** UDP datagrams that were sent on this machine, in both directions and by everybody. */
  datagrams: number
  /** UDP datagrams that found a receiver's buffer full. */
  dropped: number
}

/** @param watched what each process is for, by its number */
export function readAccounts(watched: ReadonlyMap<number, string>): Accounts {
  const cpu = new Map<string, number>()
  let switches = 0
  for (const [pid, purpose] of watched) {
    try {
      cpu.set(purpose, (cpu.get(purpose) ?? 0) + cpuSeconds(pid))
      switches += switchesOf(pid)
    } catch {
      // Ended meanwhile.
    }
  }
  return { cpu, switches, datagrams: udpCount('OutDatagrams'), dropped: udpCount('RcvbufErrors') }
}

/** What was used from one reading to the next, for one GiB when `bytes` passed. */
export function perGib(before: Accounts, after: Accounts, bytes: number): Accounts {
  const share = (from: number, to: number): number => ((to - from) / bytes) * 1024 ** 3
  const cpu = [...after.cpu].map(([name, seconds]): [string, number] => [
    name,
    share(before.cpu.get(name) ?? 0, seconds),
  ])
  return {
    cpu: new Map(cpu),
    switches: share(before.switches, after.switches),
    datagrams: share(before.datagrams, after.datagrams),
    dropped: share(before.dropped, after.dropped),
  }
}

export function totalCpu({ cpu }: Accounts): number {
  return [...cpu.values()].reduce((sum, seconds) => sum + seconds, 0)
}

export function shownAccounts(accounts: Accounts): string {
  const parts = [...accounts.cpu].filter(([, seconds]) => seconds >= 0.1)
  const cpu = parts.map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`).join(', ')
  const perMib = ({ datagrams, dropped }: Accounts): string =>
    `${(datagrams / 1024).toFixed(0)} datagrams per MiB, ${(dropped / 1024).toFixed(1)} dropped`
  const switches = `${(accounts.switches / 1024).toFixed(0)} switches per MiB`
  return `${totalCpu(accounts).toFixed(1)} CPU-s per GiB (${cpu}), ${perMib(accounts)}, ${switches}`
}

/** Of all threads of a process (proc(5)). */
function switchesOf(pid: number): number {
  let sum = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
    for (const [, count] of status.matchAll(/ctxt_switches:\s+(\d+)/g)) sum += Number(count)
  }
  return sum
}

/** A counter of the kernel, IPv4 and IPv6 together. */
function udpCount(name: string): number {
  const [names = '', values = ''] = readFileSync('/proc/net/snmp', 'utf8').match(/^Udp:.*$/gm) ?? []
  const four = Number(values.split(' ')[names.split(' ').indexOf(name)])
  const six = Number(new RegExp(`^Udp6${name}\\s+(\\d+)`, 'm').exec(readFileSync('/proc/net/snmp6', 'utf8'))?.[1] ?? 0)
  return four + six
}
