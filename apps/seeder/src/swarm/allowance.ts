import { Claims } from './peers/claims.ts'
import { defaultLimits } from './limits.ts'
import { OpenFiles } from './reading/open-files.ts'
import type { SwarmOptions } from './options.ts'
import { PeerSlots } from './peers/peer-slots.ts'
import type { SwarmLimits } from './port.ts'
import { Rates } from './rates/index.ts'
import { ReadAhead } from './reading/read-ahead.ts'
import { Connections } from './webrtc/index.ts'

/** What all torrents of the swarm together may use of the machine, and have to share. */
export class Allowance {
  readonly openFiles: OpenFiles
  readonly readAhead = new ReadAhead()
  readonly rates: Rates
  /** Places for connections over TCP, and connections over WebRTC. */
  readonly slots: PeerSlots
  readonly channels: Connections
  /** Which items are kept awake by whose takings. */
  readonly claims = new Claims(() => this.#limits.maxActive)
  /** Milliseconds, never backwards. */
  readonly now: () => number
  #limits: SwarmLimits

  constructor({ limits, itemLimits, egress, iceServers = [], host, now }: SwarmOptions) {
    this.#limits = { ...defaultLimits, ...limits }
    const { maxOpenFiles, maxChannels, maxNegotiating } = this.#limits
    this.now = now ?? (() => performance.now())
    this.openFiles = new OpenFiles(maxOpenFiles)
    this.rates = new Rates(this.now, itemLimits ?? (() => ({})))
    this.rates.limit(this.#limits)
    this.slots = new PeerSlots(this.#limits, this.now)
    this.channels = new Connections({
      egress,
      iceServers,
      maxConnections: maxChannels,
      maxNegotiating,
      now: this.now,
      ...(host !== undefined && { host }),
    })
  }

  get limits(): SwarmLimits {
    return this.#limits
  }

  /** Applies at once, to what is under way too. */
  limit(limits: Partial<SwarmLimits>): void {
    this.#limits = { ...this.#limits, ...limits }
    const { maxOpenFiles, maxChannels, maxNegotiating } = this.#limits
    this.rates.limit(this.#limits)
    void this.openFiles.limit(maxOpenFiles)
    this.channels.limit({ maxConnections: maxChannels, maxNegotiating })
    this.slots.limit(this.#limits)
  }

  /** Comes after all that uses it. */
  async close(): Promise<void> {
    this.channels.close()
    await this.openFiles.close()
  }
}
