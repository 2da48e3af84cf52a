import { EldernodeError } from '@eldernode/core'

/** The folder of the tracker's key and list is not there and cannot be made, or takes no files. */
export class NetworkFolderError extends EldernodeError {
  constructor(path: string, options?: ErrorOptions) {
    super(
      'network_folder',
      `${path} cannot be made, or takes no files. Give it to the user of this program, or set network.folder.`,
      options,
    )
  }
}
