import { EldernodeError } from '@eldernode/core'

/** What the operator has to do about what the system says. */
const advice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it: stop that one, or choose another port',
  EADDRNOTAVAIL: 'the address is none of this machine (EADDRNOTAVAIL): correct the setting host',
  EACCES: 'this user may not take it (EACCES): choose a port from 1024, or grant CAP_NET_BIND_SERVICE',
}

/** Another start is in vain. */
const lasting = new Set(['EADDRNOTAVAIL', 'EACCES'])

/** The port is taken, or not for this user, or the address is none of this machine. */
export class ListenError extends EldernodeError {
  constructor(host: string, port: number, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    const name = lasting.has(code) ? 'wrong_address' : 'cannot_listen'
    super(name, `Cannot listen on ${host} port ${port}: ${advice[code] ?? code}`, { cause })
  }
}
