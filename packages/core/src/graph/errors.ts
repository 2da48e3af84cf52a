import { EldernodeError } from '../errors.ts'
import type { NodeId } from '../identity/identity.ts'
import type { Kind } from './port.ts'

/** This machine's clock lies behind what this node has signed before, so no value of it would be taken as newer. */
export class ClockError extends EldernodeError {
  constructor(ahead: number) {
    super(
      'clock_behind',
      `this node has signed values ${Math.round(ahead / 1000)} s ahead of this machine's clock; set the clock right`,
    )
  }
}

/** The signer is not admitted to the network, or not in the role that this kind of value takes. */
export class NotMemberError extends EldernodeError {
  constructor(pub: NodeId, kind: Kind) {
    super(
      'not_member',
      `node ${pub} may not publish values of kind ${kind} in this network; ask its owner for a certificate`,
    )
  }
}

/** Only the network's owner signs certificates and successions. */
export class NotOwnerError extends EldernodeError {
  constructor() {
    super('not_owner', "this node does not have the key of the network's present owner; ask the node that has owner.key")
  }
}

/** A value is larger than its kind allows. */
export class ValueTooLargeError extends EldernodeError {
  constructor(kind: Kind, bytes: number, most: number) {
    super('value_too_large', `a signed value of kind ${kind} may have ${most} bytes, this one has ${bytes}; shorten it`)
  }
}

/** The graph was closed before the value was stored. */
export class GraphClosedError extends EldernodeError {
  constructor() {
    super('graph_closed', 'the graph is closed; nothing was published')
  }
}
