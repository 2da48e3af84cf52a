import { EldernodeError, type NodeId } from '@eldernode/core'

/** The request names another node than this one as the holder. */
export class WrongHolderError extends EldernodeError {
  constructor(asked: NodeId, self: NodeId) {
    super('wrong_holder', `This is node ${self} and answers for nobody else: ask ${asked} where its heartbeats say.`)
  }
}

/** Audits are for members with the role auditor. */
export class NotAuditorError extends EldernodeError {
  constructor(node: NodeId) {
    super('not_auditor', `Node ${node} does not have the role auditor: have the network's owner certify it.`)
  }
}

/** The item, or this piece of it, is not on this node's disk. */
export class NotHeldError extends EldernodeError {
  constructor(infoHash: string, piece?: number) {
    const what = piece === undefined ? infoHash : `piece ${piece} of ${infoHash}`
    super('not_held', `This node does not hold ${what}.`)
  }
}

/** The item was retracted or denied a moment ago, which the auditor may not have heard. */
export class TakenDownError extends EldernodeError {
  constructor(infoHash: string) {
    super('taken_down', `The item ${infoHash} was taken down: its claim is being withdrawn.`)
  }
}

/** As many audits are being answered as may be at a time. */
export class AuditsBusyError extends EldernodeError {
  readonly retryAfterMs = 1000

  constructor() {
    super('audits_busy', 'This node is answering as many audits as it does at a time: ask again in a second.')
  }
}
