import type { ItemFile } from '@eldernode/core'
import type { HeldFile } from '../../library/index.ts'
import type { ByteSource, Bytes } from './file-sender.ts'

/** Bytes of an item that is on its way here. */
export interface RemoteBytes extends Pick<ByteSource, 'read' | 'close'> {
  /** What of the asked bytes was here already. */
  readonly found: 'all' | 'some' | 'none'
  /** Whether somebody else had the item fetched already. */
  readonly shared: boolean
}

/** A file of an item that this node does not hold, to be read from those who do while it arrives. */
export interface RemoteFile extends Omit<HeldFile, 'state'> {
  /** The item's files, the first ones when there are many. */
  files: readonly ItemFile[]
  /** Resolves when the first of these bytes are here. @throws TransferError and its kinds, FetchFailedError; the abort reason */
  open(ranges: readonly Bytes[], signal: AbortSignal): Promise<RemoteBytes>
}
