import { execFileSync } from 'node:child_process'
import { lacks } from './tools.ts'

const ip = (...args: string[]): void => {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

let made = 0

/** Whether network namespaces may be made here: it takes root and iproute2. */
export function mayPartition(): boolean {
  if (process.getuid?.() !== 0 || lacks('ip')) return false
  try {
    const name = `elp${process.pid}`
    ip('netns', 'add', name)
    ip('netns', 'del', name)
    return true
  } catch {
    return false
  }
}

/** A host of its own on this machine, whose one link can be cut. */
export interface Island {
  address: string
  /** The command that runs there what further arguments name; it keeps the process id. */
  within: readonly string[]
  /** Nobody reaches it, and it reaches nobody; its connections are not told. */
  cut(): void
  mend(): void
}

/** Hosts on one switch, this machine among them. */
export class Islands {
  /** This machine's address on the switch. */
  readonly address: string
  readonly #bridge: string
  readonly #prefix: string
  readonly #names: string[] = []

  constructor() {
    const number = (process.pid + made++) % 250
    this.#bridge = `elb${process.pid}${made}`
    this.#prefix = `10.204.${number}`
    this.address = `${this.#prefix}.254`
    ip('link', 'add', this.#bridge, 'type', 'bridge')
    try {
      ip('addr', 'add', `${this.address}/24`, 'dev', this.#bridge)
      ip('link', 'set', this.#bridge, 'up')
    } catch (error) {
      this.close()
      throw error
    }
  }

  add(): Island {
    const name = `${this.#bridge}-${this.#names.length + 1}`
    const [near, far] = [`${name}n`, `${name}f`]
    const address = `${this.#prefix}.${this.#names.length + 1}`
    ip('netns', 'add', name)
    this.#names.push(name)
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name)
    ip('link', 'set', near, 'master', this.#bridge, 'up')
    ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', far)
    ip('-n', name, 'link', 'set', far, 'up')
    ip('-n', name, 'link', 'set', 'lo', 'up')
    return {
      address,
      within: ['ip', 'netns', 'exec', name],
      cut: () => ip('link', 'set', near, 'down'),
      mend: () => ip('link', 'set', near, 'up'),
    }
  }

  /** The links go with the namespaces. */
  close(): void {
    for (const name of this.#names.splice(0)) ip('netns', 'del', name)
    ip('link', 'del', this.#bridge)
  }
}
