import { execFileSync } from 'node:child_process'

const ip = (...args: string[]): void => {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

let made = 0

/**
 * A second host on this machine: a network namespace of its own, with one link between the two. Clients that never dial
 * 127.0.0.1 are tested in it. Takes root and iproute2.
 */
export class TestHost {
  /** This machine's end of the link. */
  readonly near: string
  readonly #name: string

  constructor() {
    const number = (process.pid + made++) % 250
    this.#name = `eld${process.pid}-${made}`
    const [near, far] = [`${this.#name}n`, `${this.#name}f`]
    this.near = `10.203.${number}.1`
    ip('netns', 'add', this.#name)
    try {
      ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', this.#name)
      ip('addr', 'add', `${this.near}/30`, 'dev', near)
      ip('link', 'set', near, 'up')
      ip('-n', this.#name, 'addr', 'add', `10.203.${number}.2/30`, 'dev', far)
      ip('-n', this.#name, 'link', 'set', far, 'up')
      ip('-n', this.#name, 'link', 'set', 'lo', 'up')
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** The command that runs a program there; it keeps the process id. */
  command(program: string, args: readonly string[]): { command: string; args: string[] } {
    return { command: 'ip', args: ['netns', 'exec', this.#name, program, ...args] }
  }

  /** The link goes with the namespace. */
  close(): void {
    ip('netns', 'del', this.#name)
  }
}
