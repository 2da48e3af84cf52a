import { EldernodeError } from '@eldernode/core'

/** A fetch did not succeed. `refuseForMs`, when given, is how long the item is left alone. */
export class TransferError extends EldernodeError {
  readonly refuseForMs: number | undefined

  constructor(code: string, message: string, options?: ErrorOptions & { refuseForMs?: number }) {
    super(code, message, options)
    this.refuseForMs = options?.refuseForMs
  }
}

const refusedFor = 3_600_000

/** The bytes that the swarm delivered are not those that the manifest's publisher signed. */
export class ContentMismatchError extends TransferError {
  constructor(message: string, options?: ErrorOptions) {
    super('content_mismatch', message, { ...options, refuseForMs: refusedFor })
  }
}

/** The item does not fit beside the reserve that this node keeps free. */
export class NoRoomError extends TransferError {
  constructor(infoHash: string, size: number, free: number) {
    super('no_room', `item ${infoHash} needs ${size} bytes and ${free} are free for it: add storage or raise the limit`)
  }
}

/** What is uploaded does not fit into what this node may store. */
export class StorageFullError extends EldernodeError {
  constructor(capacity: number, bytes: number, free: number) {
    super(
      'storage_full',
      `This node may store ${capacity} bytes of items, ${free} are free, and the upload needs ${bytes} more: delete items, which counts once they are purged, raise storage.capacityBytes, or publish on another node.`,
    )
  }
}

/** No live holder or publisher that this node may connect to is known, and no tracker named a peer with the bytes. */
export class NoSourceError extends TransferError {
  constructor(infoHash: string) {
    super('no_source', `no live holder of item ${infoHash} can be reached, nor any peer: it is tried again`)
  }
}

/** Sources gave nothing, or too little. */
export class StalledError extends TransferError {
  constructor(infoHash: string, received: string) {
    super('stalled', `item ${infoHash} received ${received}: it is tried again`)
  }
}

/** Sources gave far more bytes than the item has, most of them wrong. */
export class SpoiledError extends TransferError {
  constructor(infoHash: string, received: number, size: number) {
    super('spoiled', `item ${infoHash} of ${size} bytes received ${received}, most of them wrong: it is tried again`)
  }
}

/** A holder gave bytes that are not the item's. */
export class PoisonedError extends TransferError {
  constructor(infoHash: string, source: string) {
    super('poisoned', `${source} gave bytes that are not those of item ${infoHash}: others are asked for it`)
  }
}

/** A transfer ended because the item is no longer wanted or the node stops; it is not a failure. */
export class TransferCancelledError extends TransferError {
  constructor(infoHash: string, why: string) {
    super('cancelled', `the transfer of item ${infoHash} was cancelled: ${why}`)
  }
}

/** An item cannot be fetched for a reader now, because of the limits of such fetches. */
export class ReadsBusyError extends TransferError {
  constructor(infoHash: string, why: string) {
    super('reads_busy', `item ${infoHash} is not here, and cannot be fetched now: ${why}; ask another holder, or later`)
  }
}
