import { EldernodeError } from '../errors.ts'
import type { NodeId } from '../identity/index.ts'
import type { Kind } from './port.ts'

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
    super(
      'not_owner',
      "this node does not have the key of the network's present owner; ask the node that has owner.key",
    )
  }
}

/** The graph was closed before the value was stored. */
export class GraphClosedError extends EldernodeError {
  constructor() {
    super('graph_closed', 'the graph is closed; nothing was published')
  }
}
