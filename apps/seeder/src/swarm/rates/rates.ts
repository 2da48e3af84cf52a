import type { ItemLimits, SwarmLimits } from '../port.ts'
import { Flow } from './flow.ts'

/** How fast bytes leave and come, over all items and in each. Costs nothing where there is no limit. */
export class Rates {
  readonly upload: Flow
  readonly download: Flow

  /** @param now milliseconds, never backwards; @param own an item's own limits */
  constructor(now: () => number, own: (infoHash: string) => ItemLimits) {
    this.upload = new Flow(now, (infoHash) => own(infoHash).uploadLimit)
    this.download = new Flow(now, (infoHash) => own(infoHash).downloadLimit)
  }

  limit({ uploadLimit, downloadLimit, itemUploadLimit, itemDownloadLimit }: SwarmLimits): void {
    this.upload.limit(uploadLimit, itemUploadLimit)
    this.download.limit(downloadLimit, itemDownloadLimit)
  }

  /** An item's own limits are read again. */
  limitItem(infoHash: string): void {
    this.upload.limitItem(infoHash)
    this.download.limitItem(infoHash)
  }
}
