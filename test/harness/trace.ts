/** One call of a process to the system, as strace saw it. Its moments are line numbers: only their order counts. */
export interface SystemCall {
  name: string
  /** Everything after the name: arguments with the paths of file descriptors (`strace -y`), and the result. */
  text: string
  began: number
  ended: number
}

/** Reads what `strace -f` wrote; of a call that others overtook it joins both halves. Those without an end are left out. */
export function systemCalls(trace: string): SystemCall[] {
  const calls: SystemCall[] = []
  const unfinished = new Map<string, SystemCall>()
  for (const [moment, line] of trace.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const [, resumed] = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest) ?? []
    const [, name, text = ''] = /^(\w+)(\(.*)$/.exec(rest) ?? []
    const open = unfinished.get(thread)
    if (resumed !== undefined && open !== undefined) {
      unfinished.delete(thread)
      calls.push({ ...open, text: open.text + resumed, ended: moment })
    } else if (name !== undefined && text.endsWith('<unfinished ...>')) {
      unfinished.set(thread, { name, text: text.slice(0, -'<unfinished ...>'.length), began: moment, ended: moment })
    } else if (name !== undefined) calls.push({ name, text, began: moment, ended: moment })
  }
  return calls
}
