import { EldernodeError } from '@eldernode/core'

/** The port is taken, or the address is none of this machine. */
export class ListenError extends EldernodeError {
  constructor(host: string, port: number, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    const why = code === 'EADDRINUSE' ? 'another program has it: stop that one, or choose another port' : code
    super('cannot_listen', `Cannot listen on ${host} port ${port}: ${why}`, { cause })
  }
}
