import { EldernodeError } from '@eldernode/core'

/** A foreign value led to an address of the operator's own network. */
export class AddressRefusedError extends EldernodeError {
  constructor(host: string, permittedBy = 'network.allowPrivate') {
    super(
      'address_refused',
      `${host} is, or resolves to, a private, loopback or link-local address; ${permittedBy} permits that`,
    )
  }
}
