import { EldernodeError } from '@eldernode/core'

/** Only the node that published an item can change what is said of it. */
export class NotPublishedHereError extends EldernodeError {
  constructor(infoHash: string) {
    super('not_published_here', `Item ${infoHash} was not published by this node: ask the node that published it.`)
  }
}

/** The bytes of a retracted item are gone. */
export class ItemGoneError extends EldernodeError {
  constructor(infoHash: string) {
    super('item_gone', `The bytes of item ${infoHash} are gone from this node: publish them again.`)
  }
}

/** The owner of the network has everybody stop serving the item. */
export class ItemDeniedError extends EldernodeError {
  constructor(infoHash: string) {
    super('item_denied', `The owner of the network denies item ${infoHash}: it is not published.`)
  }
}

/** The bytes are those of somebody's encrypted item, under its name. */
export class ItemTakenError extends EldernodeError {
  constructor(infoHash: string) {
    super('item_taken', `${infoHash} is an encrypted item already: only its owner publishes it.`)
  }
}

/** An item was published again, for others to see, while previews of it were made. */
export class StalePreviewError extends EldernodeError {
  constructor(infoHash: string) {
    super('stale_preview', `The previews of item ${infoHash} are not as visible as it is now: they are made again.`)
  }
}
