import { type AuditResult, type Graph, NotMemberError, Pace } from '@eldernode/core'
import type { Logger } from 'pino'

export interface ResultsNoticeOptions {
  graph: Pick<Graph, 'publish'>
  /** What is to be said under a key; `undefined` when nothing is any more. */
  resultOf(key: string): AuditResult | undefined
  log: Pick<Logger, 'error'>
}

/** Everything in an envelope beside its lists, and one failure in JSON: what a publication costs, near enough. */
const envelopeBytes = 500
const failureBytes = 70

/** Tells the network what audits found, at the pace of holdings. */
export class ResultsNotice {
  readonly #options: ResultsNoticeOptions
  readonly #pace = new Pace()
  #timer: NodeJS.Timeout | undefined
  #publishing: Promise<void> | undefined
  #closed = false

  constructor(options: ResultsNoticeOptions) {
    this.#options = options
  }

  changed(key: string): void {
    this.#pace.changed(key, performance.now())
    this.#plan()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#publishing
  }

  #plan(): void {
    const next = this.#pace.nextAt()
    if (this.#closed || this.#publishing !== undefined || next === undefined) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(
      () => {
        this.#publishing = this.#publishDue().finally(() => {
          this.#publishing = undefined
          this.#plan()
        })
      },
      Math.max(0, Math.ceil(next - performance.now())),
    )
  }

  async #publishDue(): Promise<void> {
    for (;;) {
      const key = this.#closed ? undefined : this.#pace.take(performance.now())
      if (key === undefined) return
      const result = this.#options.resultOf(key)
      if (result === undefined) continue
      try {
        await this.#options.graph.publish('a', key, result)
      } catch (error) {
        this.#pace.changed(key, performance.now())
        if (!(error instanceof NotMemberError)) {
          this.#options.log.error({ err: error, key }, 'results of audits could not be published; tried again in 10 s')
        }
      }
      const bytes = envelopeBytes + result.proven.length + result.failed.length * failureBytes
      this.#pace.published(bytes, performance.now())
    }
  }
}
