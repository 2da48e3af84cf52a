import { EldernodeError } from '@eldernode/core'

/** What was asked for makes sense for encrypted items that were published here only. */
export class NotEncryptedError extends EldernodeError {
  constructor(infoHash: string) {
    super('not_encrypted', `Item ${infoHash} is not encrypted: only encrypted items have readers and identities.`)
  }
}

/** This node does not have the item's identity. */
export class NoIdentityError extends EldernodeError {
  constructor(infoHash: string) {
    super(
      'no_identity',
      `This node does not have the identity of item ${infoHash}: ask the node that published it, or have this node's recipient made a reader.`,
    )
  }
}

/** A reader's registration is not signed as it must be. */
export class RegistrationRefusedError extends EldernodeError {
  constructor(reason: string) {
    super(
      'registration_refused',
      `The registration is refused, since ${reason}: sign {recipient, node, at} anew by SEA.sign with the pair of "pub".`,
    )
  }
}
